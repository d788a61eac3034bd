"""The page on embodied carbon and views: its scenarios run, and its tables are what runs give."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator import api
from simulator.cli.app import status
from simulator.explanation.views import VIEWS
from simulator.scenario import from_document
from simulator.scenario.buildings import BUILT
from simulator.scenario.embodied import NodePart
from simulator.scenario.spreading import RETIREMENTS, RULES, USES
from simulator.scenario.workloads import PHASES
from tests.published_runs import (
    BLOOM_GPUS,
    PAGE,
    bloom_alone,
    bloom_whole,
    examples,
    replacing,
    rows_under,
    training,
)

TRAINED = rows_under("model | chips")
LLAMA = rows_under("model | GPU-hours")
REPLACED = rows_under("g/kWh | keep ten")
REFRESHED = rows_under("replaced after")
LLAMA_GPUS = 2048


def numbers(cell: str) -> list[float]:
    """Return the numbers of a cell: a figure, and the one in brackets behind it."""
    return [float(text.replace(",", "")) for text in re.findall(r"[0-9][0-9,.]*", cell)]


def run(document: dict[str, object]) -> api.Run:
    return api.run(from_document(document))


def is_published(tonnes: float, published: float, last_digit: float) -> bool:
    """Tell whether a figure is the published one to 1 % and its rounding."""
    return abs(tonnes - published) <= 0.01 * published + last_digit / 2


@pytest.mark.parametrize("row", TRAINED, ids=lambda row: row[0])
def test_a_published_run_is_what_a_fleet_of_its_chips_draws(row: list[str]) -> None:
    chips, watts, days, pue = (numbers(cell)[0] for cell in row[1:5])
    gross, *net = numbers(row[5])
    done = run(training(int(chips), watts, days * 24, pue, gross * 1000))
    energy_mwh = done.summary["energy_facility_kwh"] / 1000
    tonnes = [done.summary["total_kgco2e"] / 1000]
    for kg_per_kwh in net:
        billed = done.bill(grid={"constant": f"{kg_per_kwh} kg/kWh"})
        tonnes.append(billed.summary["total_kgco2e"] / 1000)
    assert energy_mwh == pytest.approx(numbers(row[7])[0], abs=0.05)
    assert tonnes == pytest.approx(numbers(row[9]), abs=0.05)
    assert energy_mwh == pytest.approx(numbers(row[6])[0], rel=0.01)
    assert all(map(is_published, tonnes, numbers(row[8]), [0.1] * len(tonnes)))
    view = done.view("phase")
    assert view[view.group == "training"].kgco2e.sum() == pytest.approx(tonnes[0] * 1000, rel=1e-9)


def test_all_six_published_runs_stand_on_the_page() -> None:
    assert len(TRAINED) == 6
    assert [numbers(row[8])[0] for row in TRAINED] == [3.2, 46.7, 96.4, 4.8, 72.2, 552.1]


@pytest.mark.parametrize("row", LLAMA, ids=lambda row: row[0])
def test_llama_is_within_a_per_cent(row: list[str]) -> None:
    hours = numbers(row[1])[0] / LLAMA_GPUS
    summary = run(training(LLAMA_GPUS, 400.0, hours, 1.1, 385.0)).summary
    energy_mwh, tonnes = summary["energy_facility_kwh"] / 1000, summary["total_kgco2e"] / 1000
    assert (energy_mwh, tonnes) == pytest.approx((numbers(row[3])[0], numbers(row[5])[0]), abs=0.05)
    assert energy_mwh == pytest.approx(numbers(row[2])[0], rel=0.01)
    assert tonnes == pytest.approx(numbers(row[4])[0], rel=0.01)


def test_llama_has_its_four_models() -> None:
    assert [numbers(row[4])[0] for row in LLAMA] == [14, 23, 90, 173]


def test_bloom_has_four_totals_on_four_bases() -> None:
    """Dynamic alone, with PUE, on one grid for all, and with idle power and making."""
    alone, whole = run(bloom_alone()), run(bloom_whole())
    assert alone.summary["gpu_hours_delivered"] == pytest.approx(1_082_990, rel=1e-9)
    runs: list[Callable[[], api.Run]] = [
        lambda: alone,
        lambda: alone.bill(pue=1.2),
        lambda: alone.bill(grid={"constant": "385 g/kWh"}, pue=1.1),
        lambda: whole,
    ]
    rows = rows_under("basis")
    for row, make, last_digit in zip(rows, runs, (0.1, 1.0, 1.0, 0.1), strict=True):
        tonnes = make().summary["total_kgco2e"] / 1000
        assert tonnes == pytest.approx(numbers(row[4])[0], abs=0.05)
        assert abs(tonnes - numbers(row[3])[0]) <= last_digit / 2, row
    summary = whole.summary
    for key, tonnes in (("dynamic", 24.69), ("idle", 14.6), ("scope3_embodied", 11.2)):
        assert summary[f"{key}_kgco2e"] / 1000 == pytest.approx(tonnes, abs=0.05)
    parts = whole.view("component").set_index("item").kgco2e / 1000
    assert (parts["bloom-server"], parts["bloom-gpu"]) == pytest.approx((7.57, 3.64), abs=0.01)
    assert BLOOM_GPUS == 384


def test_the_table_of_refresh_is_what_its_scenario_gives() -> None:
    """Eight servers of 2500 kg: 20 t for each generation that has gone, a sixth of it a year."""
    scenario = from_document(examples()[1])
    assert len(REFRESHED) == 4
    for years, carried, written_off in REFRESHED:
        kept = years.removesuffix(" y")
        run = api.run(scenario.replace({"clusters.train.idle.lifetime": years}))
        total_kg = run.summary["scope3_embodied_kgco2e"]
        left_kg = run.nodes["written_off_kgco2e"].sum()
        assert total_kg / 1000 == pytest.approx(float(written_off), abs=0.05)
        assert (total_kg - left_kg) / 1000 == pytest.approx(float(carried), abs=0.05)
        assert total_kg / 1000 == pytest.approx(20.0 * 12 / float(kept), abs=0.7)
        assert run.summary["jobs_queued"] == 0


@pytest.mark.parametrize("row", REPLACED, ids=lambda row: row[0])
def test_the_table_of_replacement_is_what_both_fleets_emit(row: list[str]) -> None:
    g_per_kwh = float(row[0])
    totals = [run(replacing(g_per_kwh, new=new)).summary for new in (False, True)]
    assert [each["total_kgco2e"] / 1000 for each in totals] == pytest.approx(
        [numbers(cell)[0] for cell in row[1:]], abs=0.05
    )
    assert [each["jobs_finished"] for each in totals] == [1095, 1095]


def test_replacing_pays_above_the_line_that_the_page_gives() -> None:
    per_kwh = 2 * 5.4 * 26_298 * 1.1
    assert 8 * 2500 * 1000 / per_kwh == pytest.approx(64, abs=0.05)
    clean, _, coal = ([numbers(cell)[0] for cell in row[1:]] for row in REPLACED)
    assert clean[0] < clean[1]
    assert coal[0] > coal[1]


def test_its_first_scenario_runs_through_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    Path("parts.toml").write_text(text, encoding="utf-8")
    commands = [line.split()[1:] for line in PAGE.splitlines() if line.startswith("fleetsim ")]
    assert len(commands) == 7
    for words in commands:
        assert status(words) == 0, words
    out = capsys.readouterr().out
    assert "per job" in out
    assert "scope 3, category 2" in out


def test_the_die_of_the_page_is_19_kg() -> None:
    scenario = from_document(examples()[0])
    (die, *_) = scenario.nodes["server"].embodied_kg.parts  # type: ignore[attr-defined]
    assert (die.part, die.count) == ("gpu-die", 8)
    assert "826 mm2 die\nof 7 nm comes to 19 kg" in PAGE


def test_every_word_and_key_stands_on_the_page() -> None:
    words = [*VIEWS, *RULES, *USES, *RETIREMENTS, *PHASES, *BUILT, *NodePart.attributes()]
    for word in words:
        assert f"`{word}`" in PAGE or f'"{word}"' in PAGE or f"{word} =" in PAGE, word
