"""What idle states cost: a ladder beside always-on, and controllers beside the ladder alone."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, Final

from simulator.bench.common_load import SEED, common_load
from simulator.bench.full_run import in_full
from simulator.inputs import Inputs, open_inputs
from simulator.scenario import Scenario, from_document

LADDER: Final[list[dict[str, Any]]] = [
    {
        "name": "nap",
        "after": "1 min",
        "power": "800 W",
        "enter_time": "1 s",
        "wake_time": "5 s",
    },
    {
        "name": "sleep",
        "after": "15 min",
        "power": "150 W",
        "enter_time": "10 s",
        "wake_time": "2 min",
    },
    {
        "name": "off",
        "after": "2 h",
        "power": "20 W",
        "enter_time": "1 min",
        "wake_time": "6 min",
    },
]

HOURLY: Final[list[dict[str, Any]]] = [
    {"policy": "forecast", "every": "1 h"},
    {"policy": "reactive", "every": "1 h"},
    {"policy": "headroom", "share": 0.1, "every": "1 h"},
    {"policy": "scheduled", "shares": [0.5] * 24},
    {"policy": "consolidation", "every": "1 h"},
]
"""Five controllers that look at their clusters every hour."""


@dataclass(frozen=True, slots=True)
class IdleCost:
    """What idle states cost on one fleet.

    Attributes
    ----------
    nodes, jobs : int
    load : float
    awake_s, ladder_s : float
        The engine with everything on: nodes always on, and with a ladder of three states. [s]
    wake_ups : int
    year_jobs : int
        Jobs of a year on five clusters of as many nodes together.
    year_ladder_s, year_hourly_s : float
        That year under the ladder alone, and with five hourly controllers. [s]
    """

    nodes: int
    jobs: int
    load: float
    awake_s: float
    ladder_s: float
    wake_ups: int
    year_jobs: int
    year_ladder_s: float
    year_hourly_s: float


def idle_cost(nodes: int, jobs: int, load: float, repeats: int) -> IdleCost:
    """Time the engine with and without a ladder, in turn, and a year with and without control."""
    awake = common_load(jobs, nodes, load, "pack")
    ladder = awake.replace({"nodes.hgx.idle_states": LADDER, "clusters.train.idle": "ladder"})
    (awake_s, ladder_s), wake_ups = _in_turn([awake, ladder], repeats)
    year = [_year(nodes, ["ladder"] * len(HOURLY)), _year(nodes, HOURLY)]
    (year_ladder_s, year_hourly_s), _ = _in_turn(year, repeats)
    year_jobs = len(open_inputs(year[0]).jobs)
    return IdleCost(
        nodes, jobs, load, awake_s, ladder_s, wake_ups, year_jobs, year_ladder_s, year_hourly_s
    )


def _in_turn(scenarios: list[Scenario], repeats: int) -> tuple[list[float], int]:
    """Return the median times of two scenarios, run alternately, and the wake-ups of the second."""
    opened = [open_inputs(scenario) for scenario in scenarios]
    runs: list[list[float]] = [[] for _ in opened]
    wake_ups = 0
    for _ in range(repeats):
        for times, inputs in zip(runs, opened, strict=True):
            taken_s, wake_ups = _timed(in_full, inputs)
            times.append(taken_s)
    return [median(times) for times in runs], wake_ups


def _timed(run: Callable[[Inputs], Any], inputs: Inputs) -> tuple[float, int]:
    gc.collect()
    begun = perf_counter()
    done = run(inputs)
    taken_s = perf_counter() - begun
    return taken_s, int(done.results.summary["wake_ups"])


def _year(nodes: int, policies: list[Any]) -> Scenario:
    """Return a year of jobs on a cluster for each policy, lightly loaded by day and by night."""
    names = [f"c{k}" for k in range(len(policies))]
    node = common_load(1, 1, 1.0, "pack").document["nodes"]["hgx"]
    each = nodes // len(policies)
    return from_document(
        {
            "schema": 1,
            "name": f"year-{nodes}",
            "start": "2022-01-01T00:00:00Z",
            "horizon": "365 d",
            "seed": SEED,
            "nodes": {"hgx": node | {"idle_states": LADDER}},
            "sites": {"here": {"pue": 1.1, "grid": {"average": "CISO"}}},
            "clusters": {
                name: {"site": "here", "node": "hgx", "count": each, "idle": idle}
                for name, idle in zip(names, policies, strict=True)
            },
            "workloads": {
                name: {
                    "clusters": [name],
                    "arrivals": {"process": "diurnal", "rate": f"{each / 4} per d"},
                    "gpu_days": {"p50": 1.5, "p99": 24.0},
                    "gpus": {"choices": [1, 8, 16], "weights": [0.5, 0.3, 0.2]},
                }
                for name in names
            },
        }
    )
