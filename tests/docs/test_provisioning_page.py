"""What docs/provisioning.md shows is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.policies import ClusterView, provisioning_of
from simulator.registry import provisioning
from simulator.scenario import Scenario, from_document
from simulator.scenario.parameters import written_defaults
from tests.unit.scenario_documents import changed
from tests.unit.scripted_cluster import cluster_of, driven

CHECKOUT = Path(simulator.__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "provisioning.md").read_text(encoding="utf-8")
POLICIES = provisioning.names()
STATES = [{"name": "sleep", "after": "15 min", "power": "150 W", "wake_time": "2 min"}]


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


def section(policy: str) -> str:
    head, _, rest = PAGE.partition(f"\n### {policy}\n")
    assert head != PAGE, policy
    return rest.partition("\n##")[0]


def with_idle(idle: Any) -> Scenario:
    document = changed("nodes.n.idle_states", STATES)
    document["clusters"]["c"]["idle"] = idle
    return from_document(document)


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_stands_in_the_tables_with_its_parameters_and_defaults(policy: str) -> None:
    plugin = provisioning.get(policy)
    assert plugin is not None
    assert f"| `{policy}` |" in PAGE
    if not plugin.parameters:
        return
    rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]*) \| ([^|]*) ?\| ", section(policy))
    assert [key for key, _, _ in rows] == [each.key for each in plugin.parameters]
    defaults = written_defaults(plugin)
    for key, _, default in rows:
        if key in defaults:
            assert tomllib.loads(f"value = {default.strip()}")["value"] == defaults[key], key
        else:
            assert not default.strip() or not default.strip().startswith('"')


@pytest.mark.parametrize("policy", POLICIES)
def test_the_example_of_each_policy_is_accepted(policy: str) -> None:
    plugin = provisioning.get(policy)
    assert plugin is not None
    if not plugin.parameters:
        return
    (example,) = re.findall(r"(?m)^`(idle = \{.*\})`$", section(policy))
    idle = tomllib.loads(example)["idle"]
    assert with_idle(idle).clusters["c"].idle.policy == policy == idle["policy"]


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_policy_of_ones_own_works_as_shown() -> None:
    controller, ladder = python_blocks()
    assert len([line for line in controller.splitlines() if line.strip()]) <= 20
    made: dict[str, Any] = {}
    exec(compile(controller, "provisioning.md", "exec"), made)
    found = provisioning_of(made["scenario"])["west"]
    assert found.policy == "recent-peak"
    assert found.controller is not None
    demand = {0: 72, 1: 152, 2: 40}
    cluster = cluster_of(*[0] * 40, demand=lambda at_ms: demand.get(at_ms // 600_000, 0))
    driven(cluster, found.controller, 8 * 600_000)
    # ceil(1.1 x 9) = 10; then ceil(1.1 x 19) = 21 for the six looks that see the 152.
    assert [nodes for _, nodes in cluster.said("keep_awake")] == [10, *[21] * 6, 6]
    exec(compile(ladder, "provisioning.md", "exec"), {})
    descent = provisioning_of(with_idle("shallow"))["c"].descent
    assert [state.name for state in descent.states] == ["sleep"]


def test_everything_a_controller_sees_and_does_is_listed() -> None:
    shown = PAGE[PAGE.index("## What a controller sees") :]
    names = {name for name in vars(ClusterView) if not name.startswith("_")}
    listed = {
        name
        for row in re.findall(r"(?m)^\| (`[^|]*) \|", shown)
        for name in re.findall(r"`(\w+)(?:\([^)]*\))?`", row)
    }
    assert listed == names
