"""Documents that the tests of scenarios begin with."""

import copy
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.scenario import Scenario, from_document

CONTRACT = """
schema  = 1
name    = "research-cluster"
start   = 2022-01-01T00:00:00Z
horizon = "28 d"
warm_up = "2 d"
drain   = false
seed    = 7

[nodes.hgx-a100]
accelerator   = "a100-80g"
accelerators  = 8
idle_power    = "1.4 kW"
busy_power    = "5.4 kW"
load_curve    = "linear"
relative_speed = 1.0
embodied      = "2500 kg"
lifetime      = "4 y"
idle_states   = [
  { name = "sleep", after = "15 min", power = "150 W", enter_time = "5 s", \
enter_power = "1.4 kW", wake_time = "2 min", wake_power = "1.4 kW" },
]

[sites.oregon]
pue  = 1.10
grid = { average = "CISO", marginal = { constant = "500 g/kWh" }, after_end = "error" }

[clusters.train]
site      = "oregon"
node      = "hgx-a100"
count     = 128
queue     = "fifo"
placement = "pack"
idle      = "always-on"

[workloads.experiments]
clusters    = ["train"]
arrivals    = { process = "poisson", rate = "700 per d" }
gpu_days    = { p50 = 1.5, p99 = 24.0 }
gpus        = { choices = [1, 2, 4, 8, 16], weights = [0.5, 0.2, 0.1, 0.15, 0.05] }
utilisation = { dist = "beta", mean = 0.4, sd = 0.1 }
max_jobs    = 100000

[workloads.replay]
clusters = ["train"]
jobs     = { file = "philly.csv.gz", format = "csv" }

[accounting]
scope2   = ["location-based", "market-based"]
embodied = "straight-line"
functional_unit = "gpu-hour"
"""
"""The example of the manual, as it is printed there."""

SMALL: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "start": "2022-01-01T00:00:00Z",
    "horizon": "10 h",
    "nodes": {
        "n": {
            "accelerators": 8,
            "idle_power": "1 kW",
            "busy_power": "4 kW",
            "embodied": "1 t",
            "lifetime": "4 y",
        }
    },
    "sites": {"s": {"pue": 1.1, "grid": {"average": {"constant": "100 g/kWh"}}}},
    "clusters": {"c": {"site": "s", "node": "n", "count": 2}},
    "workloads": {
        "w": {
            "clusters": ["c"],
            "arrivals": {"process": "poisson", "rate": "12 per d"},
            "duration": "2 h",
            "gpus": 4,
        }
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the small document with one value replaced, or taken out where it is None."""
    document = copy.deepcopy(SMALL)
    *parents, last = path.split(".")
    table = document
    for parent in parents:
        table = table.setdefault(parent, {})
    table[last] = value
    return document


def problems(document: dict[str, Any], folder: Path | str = ".") -> dict[str, str]:
    """Return the messages of a refused document by path."""
    with pytest.raises(InputError) as refused:
        from_document(document, folder=folder)
    return {issue.path: issue.message for issue in refused.value.issues}


def with_value(path: str, value: Any) -> Scenario:
    """Return the small scenario with one value replaced."""
    return from_document(changed(path, value))
