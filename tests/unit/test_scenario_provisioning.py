"""`idle` and `max_waking` of a cluster: read, checked, written back, and turned into policies."""

import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema
import pytest

import simulator as fs
from simulator.policies import Descent, provisioning_of
from simulator.policies.capacity_planner import capacity_planner
from simulator.policies.headroom import headroom
from simulator.registry import provisioning
from simulator.scenario import Scenario, from_document, load, schema
from simulator.scenario.clusters import Cluster
from simulator.scenario.fields import Whole
from simulator.scenario.laws import Constant, Exponential, Law
from simulator.scenario.parameters import written_defaults
from simulator.scenario.provisioning import Provisioning
from simulator.scenario.toml_writer import toml_text
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN, MS_PER_Y
from tests.unit.scenario_documents import SMALL, changed, problems, with_value

STATES = [
    {"name": "sleep", "after": "15 min", "power": "150 W", "wake_time": "2 min"},
    {"name": "off", "after": "1 h", "power": "15 W", "wake_time": "5 min"},
]
POLICIES = provisioning.names()


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))
    fs.provisioning("of-all-types")(of_all_types)


def document(idle: Any, **cluster: Any) -> dict[str, Any]:
    changed_document = changed("nodes.n.idle_states", STATES)
    changed_document["clusters"]["c"] |= {"idle": idle, **cluster}
    return changed_document


def with_idle(idle: Any, **cluster: Any) -> Scenario:
    return from_document(document(idle, **cluster))


def refused(idle: Any, **cluster: Any) -> dict[str, str]:
    found = problems(document(idle, **cluster))
    return {path.removeprefix("clusters.c."): text for path, text in found.items()}


# -- reading ------------------------------------------------------------------------------------


def test_a_policy_by_its_name_has_its_defaults() -> None:
    idle = with_idle("headroom").clusters["c"].idle
    assert idle == Provisioning(
        "headroom", {"nodes": 0, "share": 0.0, "every_ms": 5 * MS_PER_MIN}, None
    )
    assert idle == with_idle({"policy": "headroom"}).clusters["c"].idle


def test_parameters_are_in_house_units_under_the_names_of_the_function() -> None:
    idle = with_idle({"policy": "headroom", "nodes": 4, "every": "1 h"}).clusters["c"].idle
    assert idle.parameters == {"nodes": 4, "share": 0.0, "every_ms": MS_PER_H}


def test_an_idle_timer_may_be_a_law() -> None:
    fixed = with_idle({"policy": "timeout", "after": "2 min"}).clusters["c"].idle
    assert fixed.parameters == {"after": Constant(value=120_000.0), "state": None}
    law = {"dist": "exponential", "mean": "2 min"}
    drawn = with_idle({"policy": "timeout", "after": law, "state": "sleep"}).clusters["c"].idle
    assert drawn.parameters == {"after": Exponential(mean=120_000.0), "state": "sleep"}


def test_the_limit_of_waking_nodes_is_said_in_either_place() -> None:
    inside = with_idle({"policy": "ladder", "max_waking": 3})
    beside = with_idle("ladder", max_waking=3)
    assert inside.clusters["c"].max_waking == beside.clusters["c"].max_waking == 3
    assert inside.canonical() == beside.canonical()
    assert with_idle("ladder").clusters["c"].max_waking is None
    assert with_idle("always-on", max_waking=3).clusters["c"].max_waking == 3


def of_all_types(
    env: Any,
    cluster: Any,
    *,
    count: int = 2,
    bounded: Annotated[int, Whole(2, 9)] = 2,
    ratio: float = -1.5,
    high_share: float = 0.5,
    shares: tuple[float, ...] = (0.5,),
    sizes: list[int] = [1, 2],  # noqa: B006 - nobody changes it
    word: Literal["up", "down"] = "up",
    name: str = "x",
    flag: bool = False,
    limit_w: float = 1500.0,
    pause_ms: int = 0,
    every_ms: int = MS_PER_MIN,
    gap: Law = Constant(value=60_000.0),  # noqa: B008 - frozen
    rest_ms: Annotated[int, Whole(0, 9)] | None = None,
    other: str | None = None,
    law: Law | None = None,
) -> Iterator[Any]:
    """Have a parameter of each type."""
    yield


def test_each_type_is_read_as_the_function_declares_it() -> None:
    table = {
        "policy": "of-all-types",
        "count": 7,
        "bounded": 9,
        "ratio": 3,
        "high_share": 1,
        "shares": [0.25, 1],
        "sizes": [],
        "word": "down",
        "name": "y",
        "flag": True,
        "limit": "2 kW",
        "pause": "1 s",
        "every": "1.5 s",
        "gap": {"p50": "1 min", "p99": "1 min"},
        "rest": 3,
        "other": "z",
        "law": "1 s",
    }
    values = with_idle(table).clusters["c"].idle.parameters
    assert {key: values[key] for key in ("count", "bounded", "ratio", "high_share")} == {
        "count": 7,
        "bounded": 9,
        "ratio": 3.0,
        "high_share": 1.0,
    }
    assert (values["shares"], values["sizes"]) == ((0.25, 1.0), ())
    assert (values["word"], values["name"], values["flag"]) == ("down", "y", True)
    assert (values["limit_w"], values["pause_ms"], values["every_ms"]) == (2000.0, 1000, 1500)
    assert (values["gap"].p50, values["law"]) == (60_000.0, Constant(value=1000.0))
    assert (values["rest_ms"], values["other"]) == (3, "z")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("count", -1, "-1 is out of range; write a whole number from 0"),
        ("count", True, "true is not a whole number"),
        ("bounded", 1, "write a whole number from 2 to 9"),
        ("ratio", "1", "is not a number"),
        ("ratio", float("nan"), "not finite"),
        ("high_share", 1.5, "write a share from 0 to 1"),
        ("shares", 0.5, "0.5 is not a list"),
        ("sizes[1]", [1, 2.5], "2.5 is not a whole number"),
        ("shares[0]", [2.0], "write a share from 0 to 1"),
        ("word", "sideways", "write one of up, down"),
        ("name", 3, "3 is not a text"),
        ("flag", "yes", "neither true nor false"),
        ("limit", "3 kg", '"3 kg" is not a power'),
        ("limit", 3, "3 is not a power; write it with a unit"),
        ("pause", "-1 s", "is negative"),
        ("every", "0 s", "write a time above 0"),
        ("every", "0.4 ms", "write a time above 0"),
        ("gap.mean", {"dist": "exponential", "mean": 3}, "3 is not a time"),
        ("gap", {"dist": "beta", "mean": 0.5, "sd": 0.1}, "has no unit"),
    ],
)
def test_a_value_of_another_type_is_refused_at_its_path(key: str, value: Any, said: str) -> None:
    top = key.partition(".")[0].partition("[")[0]
    found = refused({"policy": "of-all-types", top: value})
    assert list(found) == [f"idle.{key}"]
    assert said in found[f"idle.{key}"]


def test_all_problems_of_a_policy_come_together() -> None:
    assert list(refused({"policy": "reactive", "up": 0, "downn": 1, "wait": 3}, count=0)) == [
        "count",
        "idle.downn",
        "idle.up",
        "idle.wait",
    ]


def test_a_misspelt_parameter_is_not_a_missing_one_too() -> None:
    assert refused({"policy": "timeout", "aftr": "5 min"}) == {
        "idle.aftr": "unknown key; did you mean 'after'?"
    }


def test_a_policy_whose_types_no_file_can_say_is_refused_by_its_name() -> None:
    @fs.provisioning("odd")
    def odd(env: Any, cluster: Any, *, table: dict[str, int]) -> Iterator[Any]:
        yield

    found = refused({"policy": "odd", "table": {}})
    assert "odd can't be used: its parameter table is of type dict" in found["idle"]
    assert {"const": "odd"} not in policy_forms()


def test_a_state_is_looked_for_in_the_clusters_own_node_type() -> None:
    found = refused({"policy": "timeout", "after": "5 min", "state": "nap"})
    assert list(found) == ["idle.state"]
    bare = changed("clusters.c.idle", {"policy": "timeout", "after": "1 s", "state": "off"})
    assert "known are none" in problems(bare)["clusters.c.idle.state"]


def test_rules_between_parameters_come_with_the_problems_of_other_tables() -> None:
    faulty = document({"policy": "forecast", "season": "90 min"})
    faulty["workloads"]["w"]["gpus"] = 0
    assert list(problems(faulty)) == ["clusters.c.idle.season", "workloads.w.gpus"]


# -- warnings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "idle",
    [
        "ladder",
        {"policy": "timeout", "after": "10 min"},
        {"policy": "peak", "nodes": 1},
        {"policy": "capacity-planner", "most": 2},
    ],
)
def test_a_ladder_on_nodes_without_states_is_one_warning(idle: Any) -> None:
    scenario = with_value("clusters.c.idle", idle)
    (warning,) = scenario.warnings
    assert warning == (
        'clusters.c.idle: node type "n" has no idle_states; its nodes stay awake, as with always-on'
    )
    assert provisioning_of(scenario)["c"].descent == Descent(())
    assert with_idle(idle).warnings == ()


@pytest.mark.parametrize(
    "idle", ["always-on", {"policy": "capacity-planner", "most": 2, "sleep": False}]
)
def test_without_a_ladder_there_is_nothing_to_warn_of(idle: Any) -> None:
    assert with_value("clusters.c.idle", idle).warnings == ()


# -- the document -------------------------------------------------------------------------------


def test_the_document_keeps_what_was_written_and_adds_the_defaults_of_a_table() -> None:
    named = with_idle("headroom")
    assert named.document["clusters"]["c"]["idle"] == "headroom"
    table = with_idle({"policy": "headroom", "every": "90 s"})
    assert table.document["clusters"]["c"]["idle"] == {
        "policy": "headroom",
        "every": "90 s",
        "nodes": 0,
        "share": 0.0,
    }
    assert table.origins["clusters.c.idle.nodes"] == "default"
    assert table.origins["clusters.c.idle.every"] != "default"


@pytest.mark.parametrize(
    "idle",
    [
        "always-on",
        "ladder",
        {"policy": "timeout", "after": {"dist": "exponential", "mean": "2 min"}, "state": "off"},
        {"policy": "scheduled", "shares": [0.5] * 24, "max_waking": 2},
        {"policy": "capacity-planner", "most": 9, "sleep": False},
        {"policy": "of-all-types", "limit": "2 kW"},
    ],
)
def test_the_resolved_scenario_reads_as_the_same(idle: Any, tmp_path: Path) -> None:
    scenario = with_idle(idle)
    path = tmp_path / "scenario.toml"
    path.write_text(scenario.to_toml())
    again = load(path)
    assert again.canonical() == scenario.canonical()
    assert again.to_toml() == scenario.to_toml()
    assert again.clusters == scenario.clusters
    assert pickle.loads(pickle.dumps(scenario)).clusters == scenario.clusters


def test_scenarios_that_differ_in_a_policy_differ() -> None:
    forms: list[Any] = [
        "always-on",
        "ladder",
        "headroom",
        {"policy": "headroom", "nodes": 1},
        {"policy": "headroom", "max_waking": 1},
    ]
    assert len({with_idle(idle).canonical() for idle in forms}) == len(forms)
    said = {"policy": "headroom", "nodes": 0, "every": "300 s"}
    assert with_idle(said).canonical() == with_idle("headroom").canonical()


def test_a_policy_is_replaced_as_a_whole_and_its_parameters_one_by_one() -> None:
    scenario = with_idle({"policy": "headroom", "nodes": 4})
    more = scenario.replace({"clusters.c.idle.nodes": 7})
    assert more.clusters["c"].idle.parameters["nodes"] == 7
    other = scenario.replace({"clusters.c.idle": "ladder"})
    assert other.clusters["c"].idle == Provisioning("ladder")
    third = other.replace({"clusters.c.idle": {"policy": "peak", "nodes": 1}})
    assert third.clusters["c"].idle.parameters == {"nodes": 1}


def test_a_child_changes_a_parameter_or_the_policy(tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text(toml_text(document({"policy": "headroom", "nodes": 4})))

    def child(idle: str) -> Provisioning:
        path = tmp_path / "my.toml"
        path.write_text(f'schema = 1\nextends = "base.toml"\n[clusters.c]\nidle = {idle}\n')
        return load(path).clusters["c"].idle

    assert child('{ every = "1 h" }').parameters == {"nodes": 4, "share": 0.0, "every_ms": MS_PER_H}
    assert child('{ policy = "peak", nodes = 1 }').parameters == {"nodes": 1}
    assert child('"ladder"') == Provisioning("ladder")


def test_from_python_parameters_are_in_house_units() -> None:
    cluster = Cluster(
        site="s", node="n", count=2, idle={"policy": "headroom", "every_ms": 1000, "nodes": 1}
    )
    assert cluster.idle.parameters == {"nodes": 1, "share": 0.0, "every_ms": 1000}
    assert Cluster(site="s", node="n", count=2).idle == Provisioning()


# -- schema -------------------------------------------------------------------------------------


def policy_forms() -> list[dict[str, Any]]:
    clusters = schema()["properties"]["clusters"]["additionalProperties"]
    _, *tables = clusters["properties"]["idle"]["anyOf"]
    return [table["properties"]["policy"] for table in tables]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_schema_knows_each_policy_and_its_parameters(policy: str) -> None:
    plugin = provisioning.get(policy)
    assert plugin is not None
    clusters = schema()["properties"]["clusters"]["additionalProperties"]
    names, *tables = clusters["properties"]["idle"]["anyOf"]
    (table,) = [form for form in tables if form["properties"]["policy"] == {"const": policy}]
    keys = [each.key for each in plugin.parameters]
    assert list(table["properties"])[1 : len(keys) + 1] == keys
    assert table["description"]
    assert all(table["properties"][key]["description"] for key in keys)
    required = [each.key for each in plugin.parameters if each.required]
    assert table["required"] == ["policy", *required]
    assert (policy in names["enum"]) == (not required)


@pytest.mark.parametrize(
    ("idle", "fits"),
    [
        ("ladder", True),
        ("timeout", False),
        ({"policy": "headroom", "nodes": 4, "every": "5 min", "max_waking": 1}, True),
        ({"policy": "headroom", "share": 1.5}, False),
        ({"policy": "headroom", "nodse": 4}, False),
        ({"policy": "timeout", "after": {"dist": "exponential", "mean": "2 min"}}, True),
        ({"policy": "timeout"}, False),
        ({"policy": "scheduled", "nodes": [3] * 168}, True),
        ({"policy": "scheduled", "nodes": [3] * 25}, False),
        ({"policy": "always-on", "max_waking": 1}, False),
    ],
)
def test_an_editor_tells_right_from_wrong(idle: Any, fits: bool) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert (not list(validator.iter_errors(document(idle)))) == fits


@pytest.mark.parametrize("policy", POLICIES)
def test_defaults_read_as_what_they_are(policy: str) -> None:
    plugin = provisioning.get(policy)
    assert plugin is not None
    needed = {"timeout": {"after": "1 s"}, "peak": {"nodes": 1}, "scheduled": {"nodes": [1] * 24}}
    needed["capacity-planner"] = {"most": 2}
    given = needed.get(policy, {})
    said = with_idle({"policy": policy, **written_defaults(plugin), **given}).clusters["c"].idle
    assert said == with_idle({"policy": policy, **given}).clusters["c"].idle
    for each in plugin.parameters:
        if not each.required and each.key not in given:
            assert said.parameters[each.name] == each.default


# -- policies -----------------------------------------------------------------------------------


def test_ladders_and_controllers_are_told_apart() -> None:
    states = with_idle("ladder").nodes["n"].idle_states
    found = provisioning_of(with_idle("always-on", max_waking=1))["c"]
    assert (found.policy, found.descent, found.controller) == ("always-on", Descent(()), None)
    assert (found.max_waking, found.may_leave) == (1, False)
    found = provisioning_of(with_idle("ladder"))["c"]
    assert (found.descent, found.controller, found.max_waking) == (Descent(states), None, None)
    found = provisioning_of(with_idle({"policy": "headroom", "nodes": 1, "max_waking": 3}))["c"]
    assert (found.descent, found.max_waking) == (Descent(states), 3)
    assert isinstance(found.controller, partial)
    assert found.controller.func is headroom
    assert found.controller.keywords == {"nodes": 1, "share": 0.0, "every_ms": 5 * MS_PER_MIN}


def test_a_random_timer_reaches_the_descent() -> None:
    law = {"dist": "exponential", "mean": "2 min"}
    found = provisioning_of(with_idle({"policy": "timeout", "after": law}))["c"].descent
    assert found.timer == Exponential(mean=120_000.0)
    assert [state.name for state in found.states] == ["off"]


def test_the_planner_says_how_many_nodes_it_may_have_and_takes_the_nodes_lifetime() -> None:
    idle = {"policy": "capacity-planner", "most": 64, "lead_time": "30 d"}
    scenario = with_idle(idle)
    assert scenario.clusters["c"].node_limit == 64
    found = provisioning_of(scenario)["c"]
    assert (found.may_leave, len(found.descent.states)) == (True, 2)
    assert isinstance(found.controller, partial)
    assert found.controller.func is capacity_planner
    assert found.controller.keywords["lifetime_ms"] == 4 * MS_PER_Y
    own = with_idle({**idle, "lifetime": "1 d", "sleep": False, "age": "1 h"})
    found = provisioning_of(own)["c"]
    assert found.descent == Descent(())
    assert isinstance(found.controller, partial)
    assert found.controller.keywords["lifetime_ms"] == MS_PER_D


def test_each_cluster_has_its_own() -> None:
    several = changed("nodes.n.idle_states", STATES)
    cluster = SMALL["clusters"]["c"]
    several["clusters"] = {"b": cluster | {"idle": "ladder"}, "a": cluster, "c": cluster}
    found = provisioning_of(from_document(several))
    assert [(name, entry.policy) for name, entry in found.items()] == [
        ("b", "ladder"),
        ("a", "always-on"),
        ("c", "always-on"),
    ]


def test_a_policy_of_ones_own_returns_a_descent_or_is_told_to() -> None:
    @fs.provisioning("first-state")
    def first_state(states: Any, *, count: int = 1) -> Any:
        return Descent(states[:count]) if count else states

    found = provisioning_of(with_idle("first-state"))["c"].descent
    assert [state.name for state in found.states] == ["sleep"]
    with pytest.raises(fs.PolicyError, match=r"first-state failed: .* return simulator\.policies"):
        with_idle({"policy": "first-state", "count": 0})
