"""Problems between tables are told beside those within them, and none is made up."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.scenario_documents import problems

Document = dict[str, Any]
Change = Callable[[Document], Any]


def document() -> Document:
    """Return a scenario whose nodes sleep, at a power level, under budgets that they may keep."""
    states = [
        {"name": "nap", "after": "2 min", "power": "50 W", "wake_time": "20 s"},
        {"name": "off", "after": "10 min", "power": "5 W", "wake_time": "2 min"},
    ]
    return {
        "schema": 1,
        "name": "together",
        "start": "2022-01-01T00:00:00Z",
        "horizon": "6 h",
        "nodes": {
            "n": {
                "accelerators": 4,
                "idle_power": "100 W",
                "busy_power": "300 W",
                "embodied": "1000 kg",
                "lifetime": "4 y",
                "idle_states": states,
                "power_levels": [{"name": "low", "speed": 0.5, "busy_power": "200 W"}],
            }
        },
        "sites": {
            "s": {"pue": 1.1, "grid": {"average": {"constant": "100 g/kWh"}}},
        },
        "clusters": {"c": {"site": "s", "node": "n", "count": 6, "idle": "ladder"}},
    }


def put(path: str, value: Any) -> Change:
    def change(said: Document) -> None:
        *parents, last = path.split(".")
        table: Any = said
        for part in parents:
            table = table[int(part)] if part.isdigit() else table[part]
        if value is None:
            del table[last]
        else:
            table[last] = copy.deepcopy(value)

    return change


BETWEEN: dict[str, tuple[Change, str]] = {
    "budget": (put("clusters.c.power_budget", "599 W"), "clusters.c.power_budget"),
    "site's budget": (put("sites.s.power_budget", "599 W"), "sites.s.power_budget"),
    "season": (
        put("clusters.c.idle", {"policy": "forecast", "season": "90 min"}),
        "clusters.c.idle.season",
    ),
    "most": (
        put("clusters.c.idle", {"policy": "capacity-planner", "most": 2}),
        "clusters.c.idle.most",
    ),
    "state": (
        put("clusters.c.idle", {"policy": "timeout", "after": "1 min", "state": "zz"}),
        "clusters.c.idle.state",
    ),
    "level": (put("clusters.c.power_level", "zz"), "clusters.c.power_level"),
}
"""By name: a mistake that shows between tables, and where it is told."""

WITHIN: dict[str, tuple[Change, str, set[str]]] = {
    "unknown key": (put("clusters.c.colour", "red"), "clusters.c.colour", set()),
    "misspelt count": (
        lambda said: (put("clusters.c.cout", 6)(said), put("clusters.c.count", None)(said)),
        "clusters.c.cout",
        {"budget", "site's budget", "most"},
    ),
    "no site": (put("clusters.c.site", None), "clusters.c.site", {"site's budget"}),
    "site without PUE": (put("sites.s.pue", 0.5), "sites.s.pue", set()),
    "node without embodied": (put("nodes.n.embodied", None), "nodes.n.embodied", set()),
    "sleep above idle": (
        put("nodes.n.idle_states.0.power", "500 W"),
        "nodes.n.idle_states[0].power",
        set(),
    ),
    "states out of order": (
        put("nodes.n.idle_states.1.after", "1 min"),
        "nodes.n.idle_states[1].after",
        set(),
    ),
    "state without unit": (
        put("nodes.n.idle_states.0.power", 50),
        "nodes.n.idle_states[0].power",
        set(),
    ),
    "busy below idle": (put("nodes.n.busy_power", "50 W"), "nodes.n.busy_power", set()),
    "idle without unit": (
        put("nodes.n.idle_power", 100),
        "nodes.n.idle_power",
        {"budget", "site's budget"},
    ),
    "level without unit": (
        put("nodes.n.power_levels.0.busy_power", 200),
        "nodes.n.power_levels[0].busy_power",
        set(),
    ),
    "warm-up": (put("warm_up", "7 h"), "warm_up", set()),
}
"""By name: a mistake within a table, where it is told, and which of `BETWEEN` can't be known."""


@pytest.mark.parametrize("within", WITHIN)
@pytest.mark.parametrize("between", BETWEEN)
def test_a_problem_between_tables_comes_with_one_within_them(between: str, within: str) -> None:
    wrong, path = BETWEEN[between]
    disturbed, below, unknown = WITHIN[within]
    said = document()
    wrong(said)
    disturbed(said)
    expected = {below} if between in unknown else {below, path}
    found = set(problems(said))
    levels = {"nodes.n.power_levels[0].busy_power"} if within == "busy below idle" else set()
    assert found - levels == expected


@pytest.mark.parametrize("within", WITHIN)
def test_a_problem_within_a_table_makes_up_none_between_them(within: str) -> None:
    """Budgets are what the nodes draw at least, so that a value in place of another would show."""
    disturbed, below, _ = WITHIN[within]
    for idle in ("always-on", "ladder", {"policy": "timeout", "after": "1 min", "state": "off"}):
        said = document()
        said["clusters"]["c"] |= {"idle": idle, "power_budget": "600 W", "power_level": "low"}
        said["sites"]["s"]["power_budget"] = "600 W"
        disturbed(said)
        levels = {"nodes.n.power_levels[0].busy_power"} if within == "busy below idle" else set()
        assert set(problems(said)) - levels == {below}


def test_several_problems_of_several_tables_come_together() -> None:
    said = document()
    for change in (BETWEEN["budget"], BETWEEN["site's budget"], BETWEEN["season"]):
        change[0](said)
    for name in ("unknown key", "site without PUE", "sleep above idle", "warm-up"):
        WITHIN[name][0](said)
    assert set(problems(said)) == {
        "clusters.c.colour",
        "clusters.c.idle.season",
        "clusters.c.power_budget",
        "nodes.n.idle_states[0].power",
        "sites.s.power_budget",
        "sites.s.pue",
        "warm_up",
    }


def test_problems_between_idle_states_come_with_those_within_one() -> None:
    said = document()
    states = said["nodes"]["n"]["idle_states"]
    states[0] |= {"power": "500 W", "wake_time": 20}
    states[1] |= {"power": "200 W", "name": "nap"}
    states.append({"name": "later", "after": "5 min", "power": "1 W"})
    assert set(problems(said)) == {
        "nodes.n.idle_states[0].power",
        "nodes.n.idle_states[0].wake_time",
        "nodes.n.idle_states[1].name",
        "nodes.n.idle_states[1].power",
        "nodes.n.idle_states[2].after",
    }


def test_rules_of_a_policy_hold_though_the_node_type_is_unknown() -> None:
    said = document()
    BETWEEN["season"][0](said)
    said["clusters"]["c"]["node"] = "nn"
    assert set(problems(said)) == {"clusters.c.idle.season", "clusters.c.node"}
