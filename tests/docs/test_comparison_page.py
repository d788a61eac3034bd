"""What the README and the page on comparison show is what happens."""

import re
from pathlib import Path

import pytest

import simulator
from simulator.cli.app import status

CHECKOUT = Path(simulator.__file__).parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PAGE = (CHECKOUT / "docs" / "comparison.md").read_text(encoding="utf-8")


def test_the_table_of_the_readme_is_what_the_commands_print(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    section = README[README.index("## Two plans side by side") :]
    section = section[: section.index("## Many runs")]
    commands, file, table = re.findall(r"```(?:toml)?\n(.*?)```", section, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("asleep.toml").write_text(file, encoding="utf-8")
    for command in commands.splitlines():
        capsys.readouterr()
        assert status([*command.split()[1:], "--no-progress"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(table)
    assert len(table.splitlines()) > 15


def test_the_example_of_the_page_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "comparison.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "asleep against today: 5 seeds" in printed
    assert printed.rstrip().endswith("True")
    assert (tmp_path / "build/comparison/comparison.csv").is_file()


def test_every_file_of_the_page_is_written() -> None:
    from simulator.folder import COMPARISON

    for name in COMPARISON.files:
        assert f"`{name}" in PAGE, name
