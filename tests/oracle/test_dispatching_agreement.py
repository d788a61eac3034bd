"""The engine and the plain reference of dispatch agree, cluster for cluster and start for start."""

from pathlib import Path
from typing import Any

import pytest

from simulator.scenario import from_document
from simulator.simulation import run
from tests.oracle.dispatching import dispatched
from tests.oracle.dispatching_workloads import Case, random_case, scenario_of, scripted

FEW, FEW_JOBS = 30, 60
"""Cases of the fast test, and their most jobs."""


def compared(case: Case, folder: Path) -> None:
    """Assert that the engine sends every job where the reference does, and starts it then."""
    with scripted():
        done = run(from_document(scenario_of(case, folder)))
    log = done.log
    first = [int(done.inputs.fleet.first_node[at]) for at in range(len(case.clusters))]
    columns = (log.cluster, log.home, log.start_ms, log.end_ms, log.first_node)
    wanted = dispatched(case.jobs, case.clusters, case.choices, case.utilisation)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for row, ((cluster, start), found) in enumerate(zip(wanted, rows, strict=True)):
        lowest = -1
        if start.end_ms > start.start_ms:
            lowest = first[cluster] + min(start.nodes)
        same = found == (cluster, cluster, start.start_ms, start.end_ms, lowest)
        assert same, (
            f"seed {case.seed}, {case.clusters}, {case.choices}: job {row} of {len(case.jobs)} is "
            f"the first that differs, {case.jobs[row]}; cluster, home, start, end and lowest node "
            f"are {found}, by the reference {(cluster, start)}"
        )


def seeds(many: int) -> list[Any]:
    """Return first seed, number of cases and their most jobs: a few fast, many to verify."""
    rest = [
        pytest.param(first, 50, 200, id=f"from-{first}", marks=pytest.mark.verify)
        for first in range(0, many, 50)
    ]
    return [pytest.param(0, FEW, FEW_JOBS, id="few"), *rest]


@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(300))
def test_every_policy_over_clusters_of_every_rule(
    first: int, count: int, most_jobs: int, tmp_path: Path
) -> None:
    for seed in range(first, first + count):
        compared(random_case(seed, most_jobs=most_jobs), tmp_path)
