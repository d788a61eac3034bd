"""scenarios/invalid/: one file per mistake, and beside it the message that answers it."""

from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.scenario import load

GALLERY = Path(__file__).parents[2] / "scenarios" / "invalid"
MISTAKES = sorted(path.stem for path in GALLERY.glob("*.toml"))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_with_the_message_beside_it(
    mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(GALLERY)
    with pytest.raises(InputError) as refused:
        load(f"{mistake}.toml")
    assert f"{refused.value}\n" == Path(f"{mistake}.txt").read_text(encoding="utf-8")


def test_every_mistake_has_its_message_and_every_message_its_mistake() -> None:
    assert len(MISTAKES) >= 80
    assert sorted(path.stem for path in GALLERY.glob("*.txt")) == MISTAKES


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_message_is_in_words_of_ours_and_names_no_machine(mistake: str) -> None:
    text = (GALLERY / f"{mistake}.txt").read_text(encoding="utf-8")
    for foreign in ("pydantic", "Input should", "Traceback", "http", str(GALLERY.parent)):
        assert foreign not in text
    assert all(len(line) < 280 for line in text.splitlines())


def test_several_problems_are_told_as_the_contract_prints_them() -> None:
    assert (GALLERY / "several_problems.txt").read_text(encoding="utf-8") == (
        "several_problems.toml: 3 problems\n"
        "  clusters.train.cout        unknown key; did you mean 'count'?\n"
        "  nodes.hgx-a100.idle_power  1400 is not a power; write it with a unit, one of W, kW, "
        'MW, e.g. "1400 W"\n'
        "  workloads.experiments.gpu_days  p99 (4) must be at least p50 (12)\n"
    )
