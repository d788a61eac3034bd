"""What docs/scheduling.md shows is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.policies import QueueRule, queue_rules_of
from simulator.registry import scheduling
from simulator.scenario import from_document
from simulator.scenario.parameters import written_defaults
from simulator.simulation import run
from simulator.units import MS_PER_H
from tests.builders import scenario_document
from tests.oracle.use import use_ms
from tests.unit.scenario_documents import with_value

CHECKOUT = Path(simulator.__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "scheduling.md").read_text(encoding="utf-8")
POLICIES = scheduling.names()


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "_plugins", dict(scheduling._plugins))


def section(policy: str) -> str:
    head, _, rest = PAGE.partition(f"\n### {policy}\n")
    assert head != PAGE, policy
    return rest.partition("\n##")[0]


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_stands_in_the_tables_with_its_parameters_and_defaults(policy: str) -> None:
    plugin = scheduling.get(policy)
    assert plugin is not None
    assert f"| `{policy}` |" in PAGE
    if not plugin.parameters:
        assert f"`{policy}` has none" in PAGE
        return
    rows = re.findall(r"(?m)^\| `(\w+)` \| [^|]* \| ([^|]*) \| ", section(policy))
    shown = {key: tomllib.loads(f"value = {default}")["value"] for key, default in rows}
    assert list(shown) == [each.key for each in plugin.parameters]
    assert shown == written_defaults(plugin)


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "fifo"])
def test_the_example_of_each_policy_is_accepted(policy: str) -> None:
    (example,) = re.findall(r"(?m)^`(queue = \{.*\})`$", section(policy))
    queue = tomllib.loads(example)["queue"]
    assert with_value("clusters.c.queue", queue).clusters["c"].queue.policy == policy


def test_jobs_of_the_example_start_in_the_order_of_use(tmp_path: Path) -> None:
    """The figures of use are those of the formula, and the starts those of the engine."""
    (file,) = re.findall(r"```csv\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "jobs.csv").write_text(file)
    queue = tomllib.loads(re.findall(r"(?m)^With `(queue = \{.*\})`", PAGE)[0])["queue"]
    document = scenario_document(
        tmp_path / "jobs.csv", clusters__c__queue=queue, horizon="30 h", drain=True
    )
    jobs = run(from_document(document)).results.jobs
    found = dict(zip(jobs["start_s"] / 3600, jobs["job_id"], strict=True))
    rows = re.findall(r"(?m)^\| (\d+) h \| (\S+) \| (\S+) \| (\S+) \| (\w+) \|", PAGE)
    assert {float(hour): job for hour, *_, job in rows} == found
    users = [line.split(",")[-1] for line in file.split()[1:]]
    for hour, *used, _ in rows:
        at_ms = int(hour) * MS_PER_H
        for user, shown in zip(("ann", "bob", "cyd"), used, strict=True):
            held = [
                (8, begin_ms, begin_ms + 10 * MS_PER_H)
                for begin_ms, owner in zip((jobs["start_s"] * 1000).astype(int), users, strict=True)
                if owner == user and begin_ms < at_ms
            ]
            assert f"{float(use_ms(held, at_ms, 10 * MS_PER_H)) / MS_PER_H:.1f}" == shown


def test_the_policy_of_ones_own_works_as_shown() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(block, "scheduling.md", "exec"), made)
    rule = QueueRule("ageing", ageing_ms=3_600_000, backfill="easy", depth=200)
    assert queue_rules_of(made["scenario"]) == (rule, rule)
