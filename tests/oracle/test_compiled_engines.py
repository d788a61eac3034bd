"""Every compiled engine gives what the same sources give when Python plays them.

The tests of what only some runs need are played with numba off, which compiles nothing of it. These
few runs go through the engine of all that is rare and that of shared accelerators, compiled.
"""

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from numba import config

from simulator.scenario import from_document
from simulator.simulation import run

FAILS = {"mtbf": "20 h", "repair": {"dist": "exponential", "mean": "2 h"}}
SAVES = {"interval": "1 h", "cost": "1 min", "restart": "5 min"}
RACKS = {"racks": {"nodes": 2, "cross_rack_speed": 0.8}, "placement": "locality"}
CASES: dict[str, dict[str, dict[str, Any]]] = {
    "backfill, failures, preemption": {
        "node": {"failures": FAILS},
        "a": {"queue": "easy-backfill", "preemption": "restart"},
        "b": {"queue": "easy-backfill"},
        "w": {"clusters": ["a"], "priority": 1},
        "v": {"preemptible": True},
    },
    "racks, dispatch, failures": {
        "node": {"failures": FAILS},
        "a": RACKS,
        "w": {
            "clusters": {"policy": "least-wait", "among": ["a", "b"]},
            "checkpoint": SAVES,
        },
    },
    "fair share": {
        "a": {"queue": {"policy": "fair-share", "half_life": "1 d"}},
        "b": {"queue": {"policy": "fair-share", "half_life": "1 d"}},
    },
    "conservative backfill": {
        "a": {"queue": "conservative-backfill"},
        "b": {"queue": "conservative-backfill"},
    },
    "shared accelerators": {
        "a": {"sharing": {"jobs": 2, "interference": {"overhead": 0.1}}},
        "w": {"clusters": ["a"], "utilisation": 0.4},
        "v": {"utilisation": 0.5},
    },
}


def document(case: dict[str, dict[str, Any]]) -> dict[str, Any]:
    node = {
        "accelerators": 4,
        "idle_power": "1 kW",
        "busy_power": "4 kW",
        "embodied": "2500 kg",
        "lifetime": "4 y",
    }
    cluster = {"site": "here", "node": "n"}
    work = {
        "arrivals": {"process": "poisson", "rate": "70 per d"},
        "gpu_days": {"p50": 0.2, "p99": 2.0},
        "gpus": {"choices": [1, 2, 3, 4, 6, 8], "weights": [0.2, 0.2, 0.1, 0.3, 0.1, 0.1]},
    }
    return {
        "schema": 1,
        "name": "engines",
        "start": "2023-10-01T00:00:00Z",
        "horizon": "3 d",
        "seed": 3,
        "nodes": {"n": node | case.get("node", {})},
        "sites": {"here": {"pue": 1.1, "grid": {"average": {"constant": "350 g/kWh"}}}},
        "clusters": {
            "a": cluster | {"count": 5} | case.get("a", {}),
            "b": cluster | {"count": 4} | case.get("b", {}),
        },
        "workloads": {
            "w": work | {"clusters": ["a", "b"]} | case.get("w", {}),
            "v": work | {"clusters": ["a"]} | case.get("v", {}),
        },
    }


def outcome(name: str) -> str:
    """Return the digest of jobs and summary of a case."""
    results = run(from_document(document(CASES[name]))).results
    jobs = results.jobs
    assert jobs["start_s"].notna().sum() > 100
    said = json.dumps(results.summary, default=str, sort_keys=True)
    return hashlib.sha256((jobs.to_csv() + said).encode()).hexdigest()


def interpreted(names: list[str]) -> dict[str, str]:
    """Return the outcomes of cases as Python plays the sources, in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.oracle.test_compiled_engines", *names],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, str] = json.loads(said.splitlines()[-1])
    return found


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize("names", [[*CASES][:-1], [*CASES][-1:]], ids=["rare", "sharing"])
def test_compiled_and_played_by_python_are_the_same(names: list[str]) -> None:
    """One test for each engine, so that no two processes compile the same one."""
    assert {name: outcome(name) for name in names} == interpreted(names)


if __name__ == "__main__":
    print(json.dumps({name: outcome(name) for name in sys.argv[1:]}))
