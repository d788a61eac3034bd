"""What docs/write-a-policy.md shows is what there is."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.engine.waiting import RunningJob, WaitedFor, WaitingJob
from simulator.registry import scheduling
from simulator.scenario.toml_writer import toml_text
from tests.unit.conftest import Shell, shell  # noqa: F401

PAGE = (Path(simulator.__file__).parent.parent / "docs" / "write-a-policy.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduling.names()
    monkeypatch.setattr(scheduling, "_plugins", dict(scheduling._plugins))


def block(language: str, at: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)[at]


def listed(heading: str) -> set[str]:
    """Return what the table under a heading lists in its first column."""
    table = PAGE[PAGE.index(f"| `{heading}` | meaning |") :].partition("\n\n")[0]
    cells = re.findall(r"(?m)^\| (`[^|]*) \|", table)[1:]
    return {name for cell in cells for name in re.findall(r"`(\w+)(?:\([^)]*\))?`", cell)}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_policy_is_twenty_lines_and_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example = block("python")
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 20
    exec(compile(example, "write-a-policy.md", "exec"), {})
    shares = [float(line) for line in capsys.readouterr().out.split()]
    assert re.findall(r"(\d+) %", PAGE) == [f"{100 * share:.0f}" for share in shares]


def test_the_scenario_file_says_the_same() -> None:
    made: dict[str, Any] = {}
    exec(compile(block("python").partition("\nscenario =")[0], "write-a-policy.md", "exec"), made)
    said = tomllib.loads(block("toml"))["clusters"]["west"]["queue"]
    assert said == made["queue"]


def test_everything_that_a_policy_sees_is_listed() -> None:
    assert listed("job") == public(WaitingJob)
    running = {field.name for field in fields(RunningJob)}
    assert listed("cluster") == public(WaitedFor)
    (row,) = re.findall(r"(?m)^\| `running` \| (.*) \|$", PAGE)
    assert set(re.findall(r"`(\w+)`", row)) == running


def test_a_package_names_its_policy_for_the_command_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shell: Shell,  # noqa: F811
) -> None:
    entries = tomllib.loads(block("toml", 1))["project"]["entry-points"]["fleetsim.scheduling"]
    ((name, module),) = entries.items()
    package = tmp_path / "installed" / module.partition(".")[0]
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    function = block("python").partition("\nqueue =")[0]
    (package / f"{module.partition('.')[2]}.py").write_text(function)
    info = package.parent / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[fleetsim.scheduling]\n{name} = {module}\n")
    monkeypatch.syspath_prepend(str(package.parent))
    queue = tomllib.loads(block("toml"))["clusters"]["west"]["queue"]
    clusters = {cluster: {"queue": queue} for cluster in ("west", "east")}
    assert shell("init", "base.toml", "--from", "hello")[0] == 0
    document = {"extends": "base.toml", "horizon": "7 d", "clusters": clusters}
    (tmp_path / "my.toml").write_text(toml_text(document))
    code, _, err = shell("run", "my.toml", "--no-progress")
    assert (code, err) == (0, "")
    assert (tmp_path / "runs").exists()
