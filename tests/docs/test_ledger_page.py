"""The page on cost, peaks and differences: its example is read, its commands run."""

import re
import tomllib
from pathlib import Path

import pytest

import simulator
from simulator.cli.app import status
from simulator.columns import SUMMARY
from simulator.scenario import from_document
from simulator.simulation import run

PAGE = (Path(simulator.__file__).parent.parent / "docs" / "ledger.md").read_text(encoding="utf-8")
HEAD = {"schema": 1, "name": "page", "start": "2022-01-01T00:00:00Z", "horizon": "10 h"}


def test_the_example_has_a_cost() -> None:
    """Ten idle hours of one node: 14 kWh x 1.1 at 0.08 USD, and 10 h of 35,064 h of 250 kUSD."""
    [example] = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
    clusters = {"only": {"site": "oregon", "node": "server", "count": 1}}
    summary = run(from_document({**HEAD, **example, "clusters": clusters})).results.summary
    assert summary["cost_electricity"] == pytest.approx(14 * 1.1 * 0.08, rel=1e-12)
    assert summary["cost_machines"] == pytest.approx(250_000 * 10 / 35_064, rel=1e-12)


def test_every_key_it_is_about_stands_on_the_page() -> None:
    names = [column.name for column in SUMMARY]
    for name in names[names.index("dynamic_kgco2e") : names.index("cost_total") + 1]:
        assert f"`{name}`" in PAGE


def test_its_commands_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [line.split()[1:] for line in PAGE.splitlines() if line.startswith("fleetsim ")]
    assert len(commands) == 4
    for words in commands:
        assert status(words) == 0, words
    assert "idle" in capsys.readouterr().out
    assert Path("difference.svg").is_file()
