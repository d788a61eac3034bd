"""scenarios/invalid/: one file per mistake, and beside it the message that answers it."""

import json
from pathlib import Path

import pytest

from simulator.cli.app import status

GALLERY = Path(__file__).parents[2] / "scenarios" / "invalid"
MISTAKES = sorted(path.stem for path in GALLERY.glob("*.toml"))
VERBS = {"sweep_file": ["run"], "optimize_file": ["run"]}
"""By mistake: who is asked, where not all are. A sweep belongs to other verbs."""
STUDIES = {"sweep": ["validate"], "optimize": ["validate", "optimize"]}
"""By the table that a file has: who is asked."""


@pytest.fixture(autouse=True)
def _in_the_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GALLERY)
    monkeypatch.delenv("FLEETSIM_DEBUG", raising=False)


def verbs_of(mistake: str) -> list[str]:
    text = Path(f"{mistake}.toml").read_bytes().decode("utf-8", "replace")
    asked = next((verbs for name, verbs in STUDIES.items() if f"\n[{name}" in text), None)
    return VERBS.get(mistake, asked or ["validate", "run"])


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_with_the_message_beside_it(
    mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = Path(f"{mistake}.txt").read_text(encoding="utf-8")
    before = everything(GALLERY)
    verbs = verbs_of(mistake)
    for verb in verbs:
        assert status([verb, f"{mistake}.toml"]) == 2
        assert capsys.readouterr() == ("", expected)
    output = ["-o", str(tmp_path / "out")] if verbs[-1] != "validate" else []
    assert status([verbs[-1], f"{mistake}.toml", *output, "--json"]) == 2
    out, err = capsys.readouterr()
    assert err == expected
    document = json.loads(out)
    assert document["message"] == expected.rstrip("\n")
    assert len(document["problems"]) == int(expected.split(": ")[1].split(" problem")[0])
    assert everything(GALLERY) == before
    assert not everything(tmp_path)


def test_every_mistake_has_its_message_and_every_message_its_mistake() -> None:
    assert len(MISTAKES) >= 100
    assert sorted(path.stem for path in GALLERY.glob("*.txt")) == MISTAKES


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_message_is_in_words_of_ours_and_names_no_machine(mistake: str) -> None:
    text = Path(f"{mistake}.txt").read_text(encoding="utf-8")
    for foreign in ("pydantic", "Input should", "Traceback", "http", str(GALLERY.parent)):
        assert foreign not in text
    assert all(len(line) < 280 for line in text.splitlines())


def test_several_problems_are_told_as_the_contract_prints_them() -> None:
    assert Path("several_problems.txt").read_text(encoding="utf-8") == (
        "several_problems.toml: 3 problems\n"
        "  clusters.train.cout        unknown key; did you mean 'count'?\n"
        "  nodes.hgx-a100.idle_power  1400 is not a power; write it with a unit, one of W, kW, "
        'MW, e.g. "1400 W"\n'
        "  workloads.experiments.gpu_days  p99 (4) must be at least p50 (12)\n"
    )
