"""`Scenario.replace` gives what a file that says the same from the start gives."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.scenario import Scenario, from_document
from simulator.scenario.paths import dotted
from tests.property.workloads import SEVERAL_RUNS

NODE = {
    "accelerators": 8,
    "idle_power": "1 kW",
    "busy_power": "4 kW",
    "embodied": "1 t",
    "lifetime": "4 y",
    "idle_states": [{"name": "nap", "after": "1 min", "power": "50 W", "wake_time": "9 s"}],
}
BASE: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "start": "2022-01-01T00:00:00Z",
    "horizon": "10 h",
    "nodes": {"n": NODE, "spare": NODE | {"busy_power": "5 kW"}},
    "sites": {"s": {"pue": 1.1, "grid": {"average": {"constant": "100 g/kWh"}}}},
    "clusters": {
        "c": {"site": "s", "node": "n", "count": 2},
        "d.e": {"site": "s", "node": "n", "count": 3, "idle": "ladder"},
    },
    "workloads": {
        "w": {
            "clusters": ["c"],
            "arrivals": {"process": "poisson", "rate": "12 per d"},
            "gpu_days": {"p50": 0.1, "p99": 1.0},
            "gpus": 4,
        }
    },
}
VALUES: dict[tuple[str, ...], list[Any]] = {
    ("seed",): [3, -1, 2.0],
    ("name",): ["other", ""],
    ("horizon",): ["9 d", "0 s"],
    ("warm_up",): ["1 h", "10 h"],
    ("accounting", "interval"): ["30 min", "7 min"],
    ("sites", "s", "pue"): [1.3, 0.5, {"model": "load", "fixed": "3 kW"}],
    ("sites", "s", "grid", "average"): ["CISO", {"constant": "4 g/kWh"}, "NOWHERE"],
    ("sites", "s", "grid", "marginal"): [{"constant": "-5 g/kWh"}],
    ("clusters", "c", "count"): [5, 5.0, 0],
    ("clusters", "c", "node"): ["spare", "hgx-a100", "dgx-h100", "nothing"],
    ("clusters", "c", "site"): ["elsewhere"],
    ("clusters", "c", "idle"): ["ladder", {"policy": "headroom", "nodes": 2}, {"policy": "no"}],
    ("clusters", "d.e", "node"): ["spare", "hgx-a100"],
    ("clusters", "d.e", "power_budget"): ["100 kW", "1 W"],
    ("clusters", "f"): [{"site": "s", "node": "dgx-h100", "count": 1}, {"site": "s"}],
    ("nodes", "n", "busy_power"): ["6 kW", "0.5 kW"],
    ("nodes", "n", "load_curve"): [{"exponent": 1.4}],
    ("nodes", "spare", "idle_states"): [[], [{"name": "nap", "after": "1 s", "power": "9 kW"}]],
    ("workloads", "w", "gpus"): [2, {"choices": [1, 64], "weights": [0.5, 0.5]}],
    ("workloads", "w", "gpu_days", "p50"): [0.2, 2.0],
    ("workloads", "w", "duration"): ["2 h"],
    ("workloads", "w", "max_jobs"): [10],
    ("workloads", "w", "clusters"): [["c", "d.e"], ["z"]],
    ("workloads", "x"): [BASE["workloads"]["w"]],
}
CHANGES = [(path, value) for path, values in VALUES.items() for value in values]
DISPLACED = {("workloads", "w", "duration"): "gpu_days"}


def written(document: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a document that says a value too."""
    document = copy.deepcopy(document)
    table = document
    for part in path[:-1]:
        table = table.setdefault(part, {})
    if path in DISPLACED:
        table.pop(DISPLACED[path], None)
    table[path[-1]] = copy.deepcopy(value)
    return document


def made(make: Callable[[], Scenario]) -> Scenario | set[tuple[str, str]]:
    """Return what is made, or what is wrong with it."""
    try:
        return make()
    except InputError as error:
        return {(each.path, each.message.removesuffix(" [replace]")) for each in error.issues}


@SEVERAL_RUNS
@given(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=6))
def test_replace_is_a_file_that_says_the_same_from_the_start(
    changes: list[tuple[tuple[str, ...], Any]],
) -> None:
    scenario, document, replaced = from_document(BASE), BASE, set()
    for path, value in changes:
        said = written(document, path, value)
        expected, before = made(partial(from_document, said)), scenario.canonical()
        other = made(partial(scenario.replace, {dotted(path): value}))
        assert scenario.canonical() == before
        if isinstance(expected, set) or isinstance(other, set):
            assert other == expected
            continue
        assert other.canonical() == expected.canonical()
        assert other.key_text() == expected.key_text()
        assert other.document == expected.document
        assert list(other.document) == list(expected.document)
        assert other.warnings == expected.warnings
        assert other.origins.keys() == expected.origins.keys()
        replaced.add(dotted(path))
        assert_origins(other.origins, expected.origins, replaced)
        scenario, document = other, said


def assert_origins(found: dict[str, str], written: dict[str, str], replaced: set[str]) -> None:
    """Check that what was replaced says so, and nothing else does."""
    for path, label in written.items():
        below = any(path == each or path.startswith(f"{each}.") for each in replaced)
        wanted = "replace" if below and label == "scenario" else label
        assert found[path] == wanted, path
