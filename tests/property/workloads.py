"""Random small fleets and workloads for the properties."""

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from simulator.fleet import Fleet
from simulator.workload.table import JobTable
from tests.builders import Nodes, fleet, job_table

EXACTLY = settings(deadline=None, derandomize=True, max_examples=100, database=None)
"""The same examples on every machine and at every run."""

SEVERAL_RUNS = settings(EXACTLY, max_examples=40)

clusters = st.builds(
    Nodes,
    count=st.integers(1, 6),
    accelerators=st.sampled_from([1, 2, 4, 8]),
    placement=st.sampled_from(["pack", "first-fit", "spread"]),
    relative_speed=st.sampled_from([1.0, 2.0, 0.7]),
)

job_rows = st.lists(
    st.tuples(
        st.integers(0, 40),  # gap since the last submission [s]
        st.integers(0, 90),  # duration [s]
        st.integers(1, 24),  # accelerators
        st.integers(0, 8),  # utilisation in eighths
        st.integers(-1, 1),  # priority
    ),
    min_size=1,
    max_size=40,
)


def table_of(rows: list[Any], routes: tuple[tuple[int, ...], ...], **options: Any) -> JobTable:
    """Return rows of `job_rows` as a job table; they take the routes in turn."""
    gap_s, duration_s, gpus, eighths, priority = np.array(rows).T
    return job_table(
        np.cumsum(gap_s) * 1000,
        duration_s * 1000,
        gpus,
        utilisation=eighths / 8,
        priority=priority,
        route=np.arange(len(rows)) % len(routes),
        routes=routes,
        **options,
    )


@st.composite
def cases(draw: Any, most: int = 3) -> tuple[Fleet, JobTable]:
    """Draw a fleet of up to `most` clusters and jobs routed over them."""
    chosen = draw(st.lists(clusters, min_size=1, max_size=most))
    numbers = list(range(len(chosen)))
    one_route = st.permutations(numbers).flatmap(
        lambda order: st.integers(1, len(order)).map(lambda count: tuple(order[:count]))
    )
    routes = tuple(draw(st.lists(one_route, min_size=1, max_size=3)))
    return fleet(*chosen), table_of(draw(job_rows), routes, scales=draw(st.booleans()))


def last_ms(jobs: JobTable) -> int:
    """Return the first instant after the last submission."""
    return int(jobs.submit_ms[-1]) + 1
