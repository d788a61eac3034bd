"""What docs/scheduling.md shows is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.policies import QueueRule, scheduling_of
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
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.partition("\n## A policy of")[2], re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(block, "scheduling.md", "exec"), made)
    rule = QueueRule("ageing", ageing_ms=3_600_000, backfill="easy", depth=200)
    found = scheduling_of(made["scenario"])
    assert [each.rule for each in found.values()] == [rule, rule]


def test_the_figures_of_preemption_are_those_of_the_example(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    part = PAGE.partition("\n### What it does\n")[2]
    example = re.findall(r"```toml\n(.*?)```", part, re.DOTALL)[0]
    code = re.findall(r"```python\n(.*?)```", part, re.DOTALL)[0]
    (tmp_path / "urgent.toml").write_text(example)
    monkeypatch.chdir(tmp_path)
    runs: list[Any] = []
    original = simulator.run
    monkeypatch.setattr(simulator, "run", lambda each: runs.append(original(each)) or runs[-1])
    exec(compile(code, "scheduling.md", "exec"), {"print": lambda *_: None})
    assert len(runs) == 3
    table = PAGE.partition("| | nobody | restart | suspend |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    shown = {row[0]: row[1:] for row in rows}

    def waits(workload: str) -> list[str]:
        means = [run.jobs.groupby("workload", observed=True)["wait_s"].mean() for run in runs]
        return [f"{mean[workload] / 3600:.2f} h" for mean in means]

    summaries = [run.summary for run in runs]
    assert shown == {
        "wait of urgent jobs, mean": waits("urgent"),
        "wait of training, mean, to the first start": waits("training"),
        "preemptions": ["", *(str(each["preemptions"]) for each in summaries[1:])],
        "GPU-hours that these cost": [
            "", *(f"{each['gpu_hours_preempted']:.0f}" for each in summaries[1:]),
        ],
        "carbon, whole fleet": [f"{each['total_kgco2e']:,.0f} kg" for each in summaries],
    }  # fmt: skip
    carbon = [each["total_kgco2e"] for each in summaries]
    more = [f"{100 * (each / carbon[0] - 1):.1f} %" for each in carbon[1:]]
    assert all(share in PAGE for share in more)


def test_the_keys_of_preemption_are_those_of_a_scenario() -> None:
    from simulator.scenario.preemption import Preemption

    part = PAGE.partition("\n## Preemption\n")[2].partition("\n### When\n")[0]
    rows = re.findall(r"(?m)^\| `(\w+)` \| ?([^|]*) \| ", part)
    fields = Preemption.attributes()
    assert [key for key, _ in rows] == list(fields)
    for key, default in rows[1:]:
        assert default == f'"{Preemption.model_fields[fields[key]].default}"'
    block = re.findall(r"```toml\n(.*?)```", part, re.DOTALL)[0]
    for line in block.splitlines():
        if line.startswith("preemption"):
            value = tomllib.loads(line)["preemption"]
            assert with_value("clusters.c.preemption", value).clusters["c"].preemption is not None
