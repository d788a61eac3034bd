"""What the README shows is what happens."""

import re
from pathlib import Path

import pytest

import simulator
from simulator import bundled
from simulator.cli.app import GROUPS, VERBS, status

CHECKOUT = Path(simulator.__file__).parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_example_is_ten_lines_and_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(CHECKOUT)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "kWh" in printed
    assert "wait_s" in printed


def test_the_first_five_minutes_go_as_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    section = README[README.index("## The first five minutes") :]
    commands = re.findall(
        r"(?m)^fleetsim (.*?)(?: +#.*)?$", section[: section.index("A scenario is")]
    )
    assert len(commands) == 5
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert status(command.split()) == 0, capsys.readouterr().err
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_commands_shown_exist() -> None:
    known = {*(verb.__name__ for verb in VERBS), *GROUPS}
    shown = set(re.findall(r"(?m)^fleetsim (\w+)", README))
    table = set(re.findall(r"(?m)^\| `(\w+)[^|]*` \|", README))
    assert {"run", "init", "validate"} <= shown <= known
    assert known <= table


def test_make_targets_shown_exist() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?m)^make (\w+)", README):
        assert re.search(rf"(?m)^{target}:", makefile), target


def test_scenarios_shown_ship() -> None:
    section = README[README.index("## Scenarios that ship") :]
    section = section[: section.index("`fleetsim run")]
    assert set(re.findall(r"`([a-z]+(?:-[a-z0-9]+)*)`", section)) - {"init"} == set(
        bundled.scenarios()
    )


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (CHECKOUT / target).exists(), target
