"""``fleetsim explain DIR --statement``: what a job or a workload emitted, for a model's card."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator import api
from simulator.explanation.job import job_bill
from simulator.explanation.statement import Statement, statement_of
from simulator.explanation.statement_document import statement_document
from simulator.explanation.statement_page import statement_page
from simulator.results import Results, load_results, save
from simulator.scenario import from_document
from tests.unit.conftest import Shell

TINY = """
schema  = 1
name    = "tiny"
start   = 2022-06-01T00:00:00Z
horizon = "2 d"
warm_up = "6 h"
seed    = 3
[nodes.small]
accelerators = 4
idle_power   = "200 W"
busy_power   = "1 kW"
embodied     = "1000 kg"
lifetime     = "4 y"
[sites.here]
pue  = 1.2
grid = { average = "CISO", marginal = "CAISO" }
[sites.there]
pue  = 1.5
grid = { average = { constant = "400 g/kWh" } }
[clusters.few]
site  = "here"
node  = "small"
count = 2
[clusters.more]
site  = "there"
node  = "dgx-h100"
count = 3
[workloads."model | v1"]
clusters    = ["few", "more"]
arrivals    = { process = "regular", every = "1 h" }
duration    = "150 min"
gpus        = 3
utilisation = 0.5
[workloads.other]
clusters    = ["more"]
arrivals    = { process = "regular", every = "3 h" }
duration    = "2 h"
gpus        = 8
"""


@pytest.fixture(scope="module")
def results() -> Results:
    return api.run(tiny()).results


def tiny() -> fs.Scenario:
    return from_document(tomllib.loads(TINY))


def busiest(results: Results, workload: str, cluster: str) -> str:
    rows = results.jobs.query("workload == @workload and cluster == @cluster and start_s > 30000")
    return str(rows.job_id.iloc[0])


# -- the figures --------------------------------------------------------------------------------


def test_the_statement_of_a_job_is_its_bill(results: Results) -> None:
    job = busiest(results, "model | v1", "few")
    bill, statement = job_bill(results, job), statement_of(results, job=job)
    document = statement_document(statement)
    assert document["gpu_hours"] == pytest.approx(bill.gpus * bill.held_h, rel=1e-12)
    assert document["energy"]["facility_kwh"] == bill.energy_facility_kwh
    assert document["energy"]["pue"] == pytest.approx(1.2, rel=1e-12)
    carbon = document["carbon"]
    assert carbon["scope2_location_kgco2e"] == bill.operational_kgco2e
    assert carbon["scope3_embodied_kgco2e"] == bill.embodied_kgco2e
    assert carbon["total_kgco2e"] == bill.total_kgco2e
    assert carbon["marginal_kgco2e"] == bill.marginal_kgco2e
    assert carbon["scope2_market_kgco2e"] is None
    assert "no contract" in carbon["scope2_market_note"]
    kinds_kg = [carbon[f"{kind}_kgco2e"] for kind in ("dynamic", "idle", "overhead")]
    assert sum(kinds_kg) == pytest.approx(bill.operational_kgco2e, rel=1e-12)
    assert kinds_kg[2] == pytest.approx(bill.operational_kgco2e * 0.2 / 1.2, rel=1e-12)
    card = document["co2_eq_emissions"]
    assert card["emissions"] == pytest.approx(1000 * bill.operational_kgco2e, rel=1e-12)
    assert card["hardware_used"] == "3 x small (small, 4 a node)"
    assert re.fullmatch(r"here \(grid: CISO \d{4}\)", card["geographical_location"])
    assert card["training_type"] is None
    assert document["basis"]["average"].endswith(document["hardware"][0]["grid"])


def test_all_jobs_of_all_workloads_are_what_is_allocated(results: Results) -> None:
    statements = [statement_of(results, workload=name) for name in ("model | v1", "other")]
    total_kg = sum(each.total_kg for each in statements)
    assert total_kg == pytest.approx(results.summary["allocated_kgco2e"], rel=1e-12)
    gpu_hours = sum(each.gpu_hours for each in statements)
    assert gpu_hours == pytest.approx(results.summary["gpu_hours_delivered"], rel=1e-12)
    by_state = statements[0].states
    assert sum(by_state.values()) == (results.jobs.workload == "model | v1").sum()
    assert statements[0].cut > 0


def test_jobs_at_a_site_without_a_marginal_signal_have_no_marginal_carbon(results: Results) -> None:
    document = statement_document(statement_of(results, workload="other"))
    assert document["carbon"]["marginal_kgco2e"] is None
    assert "not every site" in document["carbon"]["marginal_note"]


def test_a_job_that_held_nothing_has_an_empty_statement(results: Results) -> None:
    rows = results.jobs.query("operational_kgco2e == 0")
    statement = statement_of(results, job=str(rows.job_id.iloc[0]))
    document = statement_document(statement)
    assert document["hardware"] == []
    assert document["energy"]["pue"] is None
    assert document["carbon"]["total_kgco2e"] == 0.0
    assert "Nothing was held in the counted period" in statement_page(statement)


@pytest.mark.parametrize(
    "keys",
    [
        {"nodes.small.failures": {"mtbf": "9 h", "repair": "20 min"}},
        {"clusters.few.sharing": {"jobs": 2}, "workloads.other.gpus": 1},
    ],
    ids=["failures", "sharing"],
)
def test_gpu_hours_are_those_delivered_whatever_happens(keys: dict[str, Any]) -> None:
    found = api.run(tiny().replace(keys)).results
    names = [str(name) for name in found.jobs.workload.unique()]
    hours = sum(statement_of(found, workload=name).gpu_hours for name in names)
    assert hours == pytest.approx(found.summary["gpu_hours_delivered"], rel=1e-9)


# -- uncertainty --------------------------------------------------------------------------------


def test_ranges_are_what_a_run_with_their_ends_comes_to(results: Results) -> None:
    """A dgx-h100 has a range for each of its powers, its embodied carbon and its lifetime."""
    ranges = statement_of(results, workload="other").ranges
    assert {each.key for each in ranges} == {
        "idle_power",
        "busy_power",
        "embodied",
        "lifetime",
        None,
    }
    for each in ranges[:-1]:
        ends = []
        for end in (each.low, each.high):
            value = f"{end:g} {each.unit}"
            other = tiny().replace({f"nodes.dgx-h100.{each.key}": value})
            ends.append(statement_of(api.run(other).results, workload="other").total_kg)
        assert each.low_kg == pytest.approx(min(ends), rel=1e-9), each.key
        assert each.high_kg == pytest.approx(max(ends), rel=1e-9), each.key
    whole = ranges[-1]
    least, most = (
        {
            f"nodes.dgx-h100.{each.key}": f"{end:g} {each.unit}"
            for each in ranges[:-1]
            for end in [(each.low, each.high)[at if each.key != "lifetime" else 1 - at]]
        }
        for at in (0, 1)
    )
    for changes, total_kg in ((least, whole.low_kg), (most, whole.high_kg)):
        found = api.run(tiny().replace(changes)).results
        assert total_kg == pytest.approx(statement_of(found, workload="other").total_kg, rel=1e-9)


def test_a_figure_without_a_range_is_said_to_have_none(results: Results) -> None:
    job = busiest(results, "model | v1", "few")
    uncertainty = statement_document(statement_of(results, job=job))["uncertainty"]
    assert uncertainty["kind"] == "unknown"
    assert uncertainty["low_total_kgco2e"] is None
    assert "small: embodied carbon" in uncertainty["unknown"]
    assert "here: average intensity" in uncertainty["unknown"]
    assert "Unknown: no figure behind" in statement_page(statement_of(results, job=job))


def test_a_figure_that_is_no_longer_the_catalog_s_has_no_range() -> None:
    found = api.run(tiny().replace({"nodes.dgx-h100.embodied": "1 t"})).results
    statement = statement_of(found, workload="other")
    assert "embodied" not in {each.key for each in statement.ranges}
    assert "dgx-h100: embodied carbon" in statement_document(statement)["uncertainty"]["unknown"]


# -- the page -----------------------------------------------------------------------------------


def tables(page: str) -> list[list[list[str]]]:
    """Return the tables of a page as cells."""
    found = re.findall(r"(?m)(?:^\|.*\|$\n)+", page)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()] for table in found]


@pytest.mark.parametrize("workload", ["model | v1", "other"])
def test_every_table_of_the_page_is_one(results: Results, workload: str) -> None:
    page = statement_page(statement_of(results, workload=workload))
    assert page.startswith("# Carbon impact statement: ")
    assert len(tables(page)) >= 3
    for table in tables(page):
        assert len({len(row) for row in table}) == 1, table
    for field in ("Hardware type", "Hours used", "Cloud provider", "Compute region"):
        assert f"- **{field}:** " in page
    assert "scope 2, market-based | not given | not known" in page


def test_the_metadata_of_the_page_has_the_fields_of_a_model_card(results: Results) -> None:
    statement = statement_of(results, workload="other")
    page = statement_page(statement)
    (block,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert block.startswith("co2_eq_emissions:\n")
    said = dict(re.findall(r"(?m)^  (\w+): (.*?)(?:  #.*)?$", block))
    card = statement_document(statement)["co2_eq_emissions"]
    assert float(said["emissions"]) == pytest.approx(card["emissions"], rel=1e-5)
    for name in ("source", "geographical_location", "hardware_used"):
        assert json.loads(said[name]) == card[name]


# -- the command --------------------------------------------------------------------------------


@pytest.fixture
def ran(shell: Shell, results: Results) -> Path:
    save(results, "out")
    return Path("out")


def test_the_command_prints_and_writes(shell: Shell, ran: Path, results: Results) -> None:
    words = ("explain", ran, "--workload", "model | v1", "--statement")
    code, out, err = shell(*words)
    assert (code, err) == (0, "")
    statement = statement_of(load_results(ran), workload="model | v1")
    assert out == statement_page(statement)
    assert json.loads(shell(*words, "--json")[1]) == statement_document(statement) | {
        "statement": None
    }
    for name in ("card.md", "card.json"):
        code, out, err = shell(*words, "-o", name)
        assert (code, out, err) == (0, f"statement  {name}\n", "")
    assert Path("card.md").read_text(encoding="utf-8") == statement_page(statement)
    written = json.loads(Path("card.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(statement_document(statement)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--statement",), "of what? name it with --job J or --workload W"),
        (("--statement", "--job", "j", "--workload", "other"), "ask for each alone"),
        (("--workload", "other"), "a workload has a statement; add --statement"),
        (("--statement", "--workload", "others"), 'did you mean "other"?'),
        (("--statement", "--job", "other-1"), 'did you mean "other-00'),
        (("--statement", "--workload", "other", "-o", "card.pdf"), "write e.g. card.md"),
        (("--statement", "--workload", "other", "-o", "no/card.md"), "can't be written"),
        (("--statement", "--workload", "other", "--figure", "pue"), "leave it out"),
        (("--statement", "--workload", "other", "--against", "out"), "leave it out"),
        (("--job", "other-1", "-o", "card.md"), "is of a statement"),
        (("--statement", "--workload", "other", "--side", "x"), "a run has no sides"),
        (("--side", "x"), "is of the statement of a comparison"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shell: Shell, ran: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = shell("explain", ran, *words)
    assert (code, out) == (2, "")
    assert said in err


@pytest.fixture
def compared(shell: Shell) -> Path:
    Path("tiny.toml").write_text(TINY, "utf-8")
    drawn = tiny().replace({"workloads.other.arrivals": {"process": "poisson", "rate": "9 per d"}})
    Path("drawn.toml").write_text(drawn.to_toml(), "utf-8")
    assert shell("compare", "tiny.toml", "drawn.toml", "--seeds", "3", "-o", "both")[0] == 0
    return Path("both")


def test_a_workload_of_a_comparison_is_stated_over_its_seeds(shell: Shell, compared: Path) -> None:
    words = ("explain", compared, "--workload", "other", "--statement", "--side")
    names = json.loads((compared / "comparison.json").read_text())["names"]
    code, out, err = shell(*words, names[1], "--json")
    assert (code, err) == (0, "a comparison keeps no jobs: running its seeds again ...\n")
    over = json.loads(out)["uncertainty"]["over_seeds"]
    drawn = fs.load("drawn.toml")
    totals_kg = [
        statement_of(api.run(drawn, seed=seed).results, workload="other").total_kg
        for seed in over["seeds"]
    ]
    assert over["totals_kg"] == pytest.approx(totals_kg, rel=1e-12)
    assert len(set(totals_kg)) == 3
    assert over["mean_kg"] == pytest.approx(np.mean(totals_kg), rel=1e-12)
    half = 4.302652729749464 * np.std(totals_kg, ddof=1) / np.sqrt(3)
    assert over["high_kg"] - over["mean_kg"] == pytest.approx(half, rel=1e-6)
    assert json.loads(out)["carbon"]["total_kgco2e"] == pytest.approx(totals_kg[0], rel=1e-12)
    page = shell(*words, names[1])[1]
    assert "Over 3 seeds, each another course of events" in page
    assert "other seeds draw other jobs" not in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workload", "other"), "whose statement? name a side: "),
        (("--workload", "other", "--side", "nobody"), '"nobody" is no side of this comparison'),
        (("--job", "other-1"), "each seed of a comparison draws other jobs"),
    ],
)
def test_a_comparison_is_asked_for_a_workload_of_a_side(
    shell: Shell, compared: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = shell("explain", compared, "--statement", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_a_changed_comparison_has_no_statement(shell: Shell, compared: Path) -> None:
    manifest = json.loads((compared / "manifest.json").read_text())
    file, name = (manifest["sides"][0][key] for key in ("file", "name"))
    text = (compared / file).read_text()
    (compared / file).write_text(text.replace("pue = 1.2", "pue = 1.3"))
    words = ("explain", compared, "--workload", "other", "--statement", "--side", name)
    code, _, err = shell(*words)
    assert (code, "not the scenario that was compared" in err) == (2, True)
    (compared / file).write_text(text)
    manifest["keys"][0] = "0" * 64
    (compared / "manifest.json").write_text(json.dumps(manifest))
    code, _, err = shell(*words)
    assert (code, "is not the same run any more" in err) == (2, True)


def test_a_scenario_has_no_statement(shell: Shell) -> None:
    code, _, err = shell("explain", "hello", "--workload", "experiments", "--statement")
    assert (code, "a scenario has no results; name the folder of a run" in err) == (2, True)


def test_a_changed_folder_has_no_statement(shell: Shell, ran: Path) -> None:
    summary = (ran / "summary.json").read_text()
    (ran / "summary.json").write_text(summary.replace('"tiny"', '"tinier"'))
    code, _, err = shell("explain", ran, "--workload", "other", "--statement")
    assert (code, "its SHA-256 is not the manifest's" in err) == (2, True)


def test_numbers_of_a_statement_are_finite(results: Results) -> None:
    def finite(value: object) -> bool:
        if isinstance(value, dict):
            return all(map(finite, value.values()))
        if isinstance(value, list):
            return all(map(finite, value))
        return not isinstance(value, float) or bool(np.isfinite(value))

    statement: Statement = statement_of(results, workload="other")
    assert finite(statement_document(statement))


@pytest.mark.parametrize("sites", [1, 2])
def test_market_based_carbon_is_a_share_of_that_of_the_only_site(sites: int) -> None:
    document = tomllib.loads(TINY)
    half = [{"volume": "1 kW", "matching": "hourly"}]
    document["sites"]["here"]["supply"] = {"contracts": half}
    if sites == 1:
        document["clusters"]["more"]["site"] = "here"
        del document["sites"]["there"]
    run = api.run(from_document(document)).results
    job = busiest(run, "model | v1", "few")
    carbon = statement_document(statement_of(run, job=job))["carbon"]
    if sites == 2:
        assert carbon["scope2_market_kgco2e"] is None
        assert "several sites" in carbon["scope2_market_note"]
        return
    ratio = run.summary["scope2_market_kgco2e"] / run.summary["scope2_location_kgco2e"]
    assert 0.0 < ratio < 1.0
    assert carbon["scope2_market_kgco2e"] == pytest.approx(
        ratio * carbon["scope2_location_kgco2e"], rel=1e-12
    )
