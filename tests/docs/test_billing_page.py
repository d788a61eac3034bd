"""What docs/billing.md shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest

import simulator
from simulator.cli.app import status

PAGE = (Path(simulator.__file__).parent.parent / "docs" / "billing.md").read_text("utf-8")


def test_the_commands_and_the_example_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    commands, example = re.findall(r"```(?:python)?\n(.*?)```", PAGE, flags=re.DOTALL)[:2]
    for command in commands.splitlines():
        assert status([*shlex.split(command)[1:], "--no-progress"]) == 0, capsys.readouterr().err
    assert (tmp_path / "cleaner" / "report.html").is_file()
    capsys.readouterr()
    exec(compile(example, "billing.md", "exec"), {})
    assert float(capsys.readouterr().out) > 1.5


def test_every_option_of_the_page_exists(capsys: pytest.CaptureFixture[str]) -> None:
    shown = set(re.findall(r"\| `(--[\w-]+)` \|", PAGE))
    assert status(["bill", "--help"]) == 0
    said = capsys.readouterr().out
    assert shown
    for option in shown:
        assert option in said
