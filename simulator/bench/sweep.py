"""What a sweep costs beside its runs: many small runs end to end, and the same runs bare."""

import gc
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, Final

from simulator.bench.common_load import SEED
from simulator.display import number_text
from simulator.inputs import open_inputs
from simulator.plans.plan import plan_of
from simulator.scenario import Scenario, from_document
from simulator.simulation import simulated
from simulator.sweeps.carrying import sweep
from simulator.sweeps.session import Options
from simulator.traces.opened import Opened

JOBS: Final = 1000
"""Jobs of each run."""
SEEDS: Final = 10
RUNS: Final = 10_000
QUICK_RUNS: Final = 500
_BARE_RUNS: Final = 300


@dataclass(frozen=True, slots=True)
class SweepCost:
    """What a sweep of small runs took.

    Attributes
    ----------
    runs, processes : int
    sweep_s : float
        From the plan to the table, processes started and everything written. [s]
    bare_s : float
        One run in a bare loop in one process, before the sweep and after it: inputs, engine,
        accounting, summary. [s]
    again_s : float
        The same sweep typed again, when everything is known. [s]
    """

    runs: int
    processes: int
    sweep_s: float
    bare_s: float
    again_s: float

    @property
    def runs_per_s(self) -> float:
        """Runs finished in a second, end to end."""
        return self.runs / self.sweep_s

    @property
    def overhead(self) -> float:
        """What the sweep takes beyond its bare runs, as a share of them."""
        return self.sweep_s * self.processes / (self.runs * self.bare_s) - 1.0

    def text(self) -> str:
        """Return the measurement as lines for a terminal."""
        return "\n".join(
            [
                f"sweep of {self.runs:,} runs of {JOBS:,} jobs, {self.processes} processes",
                f"  end to end        {number_text(self.runs_per_s)} runs/s, {self.sweep_s:.1f} s",
                f"  a bare run        {number_text(1e3 * self.bare_s)} ms in one process",
                f"  overhead          {100 * self.overhead:.0f} % of the bare runs",
                f"  typed again       {self.again_s:.2f} s",
            ]
        )

    def document(self) -> dict[str, Any]:
        """Return the measurement as plain data."""
        return {
            "runs": self.runs,
            "jobs_per_run": JOBS,
            "processes": self.processes,
            "sweep_s": self.sweep_s,
            "runs_per_s": self.runs_per_s,
            "bare_run_s": self.bare_s,
            "overhead": self.overhead,
            "typed_again_s": self.again_s,
        }


def sweep_cost(runs: int, processes: int) -> SweepCost:
    """Time a sweep over idle policies and fleet sizes beside a bare loop over some of its runs."""
    base = _base()
    counts = list(range(12, 12 + runs // (2 * SEEDS)))
    axes = {"clusters.train.idle": ["always-on", "ladder"], "clusters.train.count": counts}
    plan = plan_of(base, {**axes, "seeds": SEEDS})
    simulated(open_inputs(base))  # loads the kernels
    some = [plan.scenario(at) for at in range(0, len(plan), max(1, runs // _BARE_RUNS))]
    bare_s = [_bare_s(some)]
    with tempfile.TemporaryDirectory() as folder:
        place, options = Path(folder) / "sweep", Options(jobs=processes)
        sweep_s = _timed_s(lambda: sweep(plan, place, options))
        bare_s.append(_bare_s(some))  # on both sides, because a machine's speed drifts
        again_s = _timed_s(lambda: sweep(plan, place, options))
    return SweepCost(len(plan), processes, sweep_s, fmean(bare_s), again_s)


def _bare_s(scenarios: list[Scenario]) -> float:
    """Return what one run takes where nothing but runs is done. [s]"""
    opened = Opened()
    runs = _timed_s(lambda: [simulated(open_inputs(each, opened)) for each in scenarios])
    return runs / len(scenarios)


def _timed_s(run: Any) -> float:
    gc.collect()
    begun = perf_counter()
    run()
    return perf_counter() - begun


def _base() -> Scenario:
    return from_document(
        {
            "schema": 1,
            "name": "small",
            "start": "2022-01-01T00:00:00Z",
            "horizon": "10 d",
            "seed": SEED,
            "nodes": {
                "box": {
                    "accelerators": 8,
                    "idle_power": "1.4 kW",
                    "busy_power": "5.4 kW",
                    "embodied": "2500 kg",
                    "lifetime": "4 y",
                    "idle_states": [
                        {"name": "sleep", "after": "15 min", "power": "150 W", "wake_time": "2 min"}
                    ],
                }
            },
            "sites": {"here": {"pue": 1.1, "grid": {"average": "CISO"}}},
            "clusters": {"train": {"site": "here", "node": "box", "count": 16}},
            "workloads": {
                "experiments": {
                    "clusters": ["train"],
                    "arrivals": {"process": "regular", "every": "14 min"},
                    "max_jobs": JOBS,
                    "gpu_days": {"p50": 0.3, "p99": 4.0},
                    "gpus": {"choices": [1, 2, 4, 8], "weights": [0.5, 0.2, 0.2, 0.1]},
                }
            },
        }
    )
