"""What the README and the page on sweeps show is what happens."""

import re
from pathlib import Path

import pytest

from simulator.cli.app import status
from tests.docs.test_readme import README

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "sweeps.md").read_text(encoding="utf-8")


def test_the_sweep_of_the_readme_gives_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    section = README[README.index("## Many runs") : README.index("## Commands")]
    file, command, answer = (
        section.split("```")[1].removeprefix("toml\n"),
        section.split("```")[3].strip(),
        section.split("```")[5].strip(),
    )
    assert status(["init", "today.toml", "--from", "hello"]) == 0
    Path("sizes.toml").write_text(file, encoding="utf-8")
    capsys.readouterr()
    assert status([*command.split()[1:], "--jobs", "1"]) == 0
    took = re.compile(r" run in .* runs/s\)")
    assert took.sub("", capsys.readouterr().out.strip()) == took.sub("", answer)


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = PAGE[PAGE.index("## From Python") :].split("```python\n")[1].split("```")[0]
    scope: dict[str, object] = {}
    exec(compile(example, "sweeps.md", "exec"), scope)
    assert len(scope["study"].points) == 3  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_every_option_of_the_page_exists(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["sweep", "--help"]) == 0
    offered = capsys.readouterr().out
    section = PAGE[PAGE.index("## Running") : PAGE.index("## Stopping and going on")]
    for option in set(re.findall(r"`(--[a-z-]+)", section)):
        assert option in offered, option
