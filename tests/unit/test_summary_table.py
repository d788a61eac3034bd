"""The terminal summary: at most 18 lines of 80 columns, every digit whole, every basis named."""

from dataclasses import replace
from typing import Any

import pytest

from simulator.columns import SUMMARY
from simulator.display import (
    count_text,
    duration_text,
    energy_text,
    interval_text,
    mass_text,
    number_text,
    share_text,
)
from simulator.figures.series import counted_h
from simulator.folder import run_folder
from simulator.report.headline import carbon, headline
from simulator.report.period import period_sentence
from simulator.report.table import summary_table
from simulator.results import Results
from tests.unit.results_sample import KEY, changed, lasting, sample

PLAIN = sample(name="research-cluster")
COUNTS = [column.name for column in SUMMARY if column.name.startswith("jobs_")]
SCALED = [column.name for column in SUMMARY if column.unit in ("kWh", "kgCO2e", "GPU-h")]
WAITS = [column.name for column in SUMMARY if column.name.startswith("wait_")]


def scaled(factor: float) -> Results:
    """Return results with energy, carbon and accelerator time so many times as large."""
    return changed(
        PLAIN,
        **{
            name: value * factor
            for name, value in PLAIN.summary.items()
            if name in SCALED and value is not None
        },
    )


LONG_BASIS = "average, life-cycle, " + ", ".join(f"GRID{k} 2022 (EIA-930)" for k in range(12))
CASES = {
    "plain": PLAIN,
    "tiny": scaled(1e-9),
    "huge": changed(
        scaled(1e9),
        **dict.fromkeys(COUNTS, 12_345_678_901),
        **dict.fromkeys(WAITS, 123_456.0),
        waited_share=1.0,
        sci_gco2e_per_gpu_hour=1.5e6,
    ),
    "nothing": changed(
        PLAIN,
        **{
            column.name: None if column.nullable else 0
            for column in SUMMARY
            if column.unit != "-" and column.name != "seed"
        },
    ),
    "no job": sample(jobs=0, marginal=False),
    "long names": replace(
        sample(name="n" * 300), basis={"average": LONG_BASIS, "marginal": LONG_BASIS}
    ),
    "odd name": changed(PLAIN, name="a\x1b[31m\n\u202eb" * 30),
    "priced": replace(
        changed(PLAIN, cost_electricity=12.345e9, cost_machines=98.7e9, cost_total=111.045e9),
        basis=PLAIN.basis | {"currency": "USD"},
    ),
    "priced, huge": replace(
        changed(
            scaled(1e9),
            **dict.fromkeys(COUNTS, 12_345_678_901),
            **dict.fromkeys(WAITS, 123_456.0),
            waited_share=1.0,
            sci_gco2e_per_gpu_hour=1.5e6,
            water_l=1.234e15,
            cost_electricity=1.5e15,
            cost_machines=1.5e15,
            cost_total=3e15,
        ),
        basis={"average": LONG_BASIS, "marginal": LONG_BASIS, "currency": "USD"},
    ),
    "market": replace(
        changed(PLAIN, scope2_market_kgco2e=12.5), basis=PLAIN.basis | {"market": "contracts"}
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "report", [None, "runs/x/report.html", str(run_folder("N" * 300, KEY) / "report.html")]
)
@pytest.mark.parametrize("notes", [(), (("sizes", "experiments: mean 3.05 GPU-days"),) * 5])
def test_it_fits_a_terminal(case: str, report: str | None, notes: Any) -> None:
    text = summary_table(CASES[case], report, notes=notes)
    lines = text.split("\n")
    assert len(lines) <= 18
    assert all(0 < len(line) <= 80 for line in lines)
    assert text.replace("\n", "").isprintable()
    assert report is None or report in text


@pytest.mark.parametrize("case", CASES)
def test_every_figure_stands_whole(case: str) -> None:
    results = CASES[case]
    summary = results.summary
    text = " ".join(summary_table(results, "runs/x/report.html").split())
    carbon = ("scope2_location", "scope2_market", "marginal", "scope3_embodied", "total")
    expected = [energy_text(summary[f"energy_{kind}_kwh"]) for kind in ("facility", "it")]
    expected += [mass_text(summary[f"{kind}_kgco2e"]) for kind in carbon]
    expected += [count_text(summary[f"jobs_{kind}"]) for kind in ("submitted", "finished")]
    if summary["gpu_hours_delivered"]:
        expected += [share_text(summary["allocation"])]
    if summary["jobs_started"]:
        expected += [duration_text(summary[f"wait_{kind}_h"]) for kind in ("mean", "p50", "p99")]
    for figure in expected:
        assert f" {figure}" in text


@pytest.mark.parametrize("case", CASES)
def test_every_carbon_figure_names_its_basis(case: str) -> None:
    lines = summary_table(CASES[case]).split("\n")
    for label, words in {
        "location-based ": "average, life-cycle, ",
        "market-based ": "",
        "marginal ": "",
        "embodied ": "straight-line over calendar lifetime",
        "total ": "location-based + embodied",
    }.items():
        [line] = [line for line in lines if line[8:].startswith(label)]
        assert words in line
        assert len(line.split("  ")[-1]) > 8


def test_market_based_is_said_not_to_be_given() -> None:
    [line] = [line for line in summary_table(PLAIN).split("\n") if "market-based" in line]
    assert "not given" in line
    [line] = [line for line in summary_table(CASES["market"]).split("\n") if "market-based" in line]
    assert "12.50 kg  contracts" in line


def test_the_plain_one_is_what_the_documentation_shows() -> None:
    text = summary_table(
        changed(PLAIN, **dict.fromkeys(WAITS, 0.0), waited_share=0.0),
        "runs/research-cluster-01234567/report.html",
        notes=[("sizes", "experiments: p50 1.5, p99 24, mean 3.05 GPU-days")],
    )
    lines = text.split("\n")
    assert lines[0] == "research-cluster  2 d  seed 7  key 01234567"
    assert lines[1].startswith("energy  3.851 MWh facility = 3.501 MWh IT x PUE 1.100")
    assert "carbon  location-based   965.0 kg  average, life-cycle, CISO 2022 (EIA-930)" in lines
    assert "waits   no job waited; 1 still wait" in lines
    assert "sizes   experiments: p50 1.5, p99 24, mean 3.05 GPU-days" in lines
    assert "report  runs/research-cluster-01234567/report.html" in lines
    assert lines[-1].startswith("next    fleetsim ")


def test_idle_power_says_what_no_job_held() -> None:
    unheld_kwh = (
        PLAIN.summary["energy_idle_kwh"]
        - PLAIN.tables["jobs"]["energy_idle_share_kwh"].to_numpy().sum()
    )
    share = share_text(unheld_kwh / PLAIN.summary["energy_it_kwh"])
    assert f"({share} held by no job)" in " ".join(summary_table(PLAIN).split())
    [row] = [row for row in headline(PLAIN) if row.label == "idle power"]
    assert row.basis.endswith(f" of IT energy ({share} held by no job)")
    assert row.value == energy_text(PLAIN.summary["energy_idle_kwh"])


def test_states_that_drew_nothing_take_no_room() -> None:
    awake = changed(PLAIN, energy_sleep_kwh=0.0, energy_transition_kwh=0.0)
    assert "sleep" not in summary_table(awake)
    assert "sleep" in summary_table(PLAIN)


def test_the_wait_of_some_is_not_taken_for_the_wait_of_all() -> None:
    text = " ".join(summary_table(changed(PLAIN, jobs_queued=4121)).split())
    assert "waited of the 499 that started; 4,121 still wait" in text
    none = changed(PLAIN, jobs_queued=0, waited_share=0.0)
    assert "waits   no job waited" in summary_table(none).split("\n")
    assert [row.value for row in headline(none) if row.group == "waits"] == ["no job waited"]


PERIODS = {
    "plain": ({}, 48.0, "In 2 d", "2 d"),
    "warm-up": (
        {"horizon": "3 d", "warm_up": "1 d"},
        48.0,
        "In the 2 d counted (after 1 d of warm-up)",
        "2 d counted after 1 d warm-up",
    ),
    "drain": (
        {"horizon": "1 d", "drain": True},
        27.8,
        "In the 27.8 h until the last job ended",
        "27.8 h to the last job's end",
    ),
    "both": (
        {"horizon": "1 d", "drain": True, "warm_up": "90 min"},
        27.8,
        "In the 27.8 h counted (after 1.5 h of warm-up, until the last job ended)",
        "27.8 h counted after 1.5 h warm-up",
    ),
}


@pytest.mark.parametrize("case", PERIODS)
def test_the_period_said_is_the_one_that_was_counted(case: str) -> None:
    said, hours, sentence, title = PERIODS[case]
    results = lasting(replace(PLAIN, scenario=PLAIN.scenario.replace(said)), hours)
    assert counted_h(results) == pytest.approx(hours, rel=1e-12)
    assert period_sentence(results) == sentence
    assert summary_table(results).split("\n")[0] == (
        f"research-cluster  {title}  seed 7  key 01234567"
    )


def test_sites_without_a_marginal_trace_are_named() -> None:
    part = changed(PLAIN, marginal_kgco2e=None)
    some = {"sites.texas": {"pue": 1.2, "grid": {"average": "ERCO"}}}
    marginal = {"sites.oregon.grid.marginal": {"constant": "500 g/kWh"}}
    [row] = [row for row in carbon(part) if row.label == "marginal"]
    assert row.basis == "no source in the scenario"
    scenario = PLAIN.scenario.replace({**marginal, **some, "clusters.train.site": "texas"})
    [row] = [row for row in carbon(replace(part, scenario=scenario)) if row.label == "marginal"]
    assert row.basis == "not every site has a marginal trace: none for texas"


def test_a_path_too_long_for_a_line_is_broken_and_not_cut() -> None:
    path = "/".join(["deep"] * 40) + "/report.html"
    lines = summary_table(PLAIN, path).split("\n")
    assert path in "".join(lines)
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("case", CASES)
def test_the_headline_gives_each_carbon_figure_a_basis(case: str) -> None:
    rows = headline(CASES[case])
    carbon = [row for row in rows if row.group == "carbon"]
    assert len(carbon) == 5
    assert all(row.basis and row.value for row in carbon)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (energy_text(0.0), "0 kWh"),
        (energy_text(1e-9), "1.00e-06 Wh"),
        (energy_text(0.5), "500.0 Wh"),
        (energy_text(999.96), "1,000 kWh"),
        (energy_text(1234.5), "1.234 MWh"),
        (energy_text(9.87654e15), "9,876,540 TWh"),
        (mass_text(1e9), "1.000 Mt"),
        (mass_text(None), "not given"),
        (duration_text(0.0), "0 h"),
        (duration_text(0.001), "3.60 s"),
        (duration_text(0.5), "30.0 min"),
        (duration_text(47.9), "47.9 h"),
        (duration_text(96.0), "4.00 d"),
        (interval_text(0.25), "15 min"),
        (interval_text(672.0), "28 d"),
        (share_text(0.241), "24.1 %"),
        (share_text(0.0), "0.0 %"),
        (share_text(2e-6), "below 0.1 %"),
        (share_text(5.1e-4), "0.1 %"),
        (count_text(19600), "19,600"),
        (number_text(-12.3456), "-12.35"),
    ],
)
def test_quantities_are_printed_with_a_readable_unit(text: str, expected: str) -> None:
    assert text == expected


def test_what_power_budgets_did_is_said_where_they_did_anything() -> None:
    assert "power budgets" not in summary_table(PLAIN)
    assert not [line for line in headline(PLAIN) if line.label in ("delayed", "capped")]
    done = changed(PLAIN, jobs_delayed_by_power=12, jobs_capped=345, energy_capped_kwh=-67.0)
    assert "power budgets: 12 delayed, 345 capped" in " ".join(summary_table(done).split())
    said = [line for line in headline(done) if line.label in ("delayed", "capped")]
    assert [(line.group, line.label, line.value) for line in said] == [
        ("energy", "capped", energy_text(67.0)),
        ("jobs", "delayed", "12"),
        ("jobs", "capped", "345"),
    ]
    assert said[0].basis.startswith("more dynamic energy")


def test_the_peak_is_said_beside_the_energy() -> None:
    peak_kw = PLAIN.summary["peak_facility_kw"]
    assert f"x PUE 1.100; peak {number_text(peak_kw)} kW" in summary_table(PLAIN)
    [row] = [row for row in headline(PLAIN) if row.label == "peak"]
    it_kw = number_text(PLAIN.summary["peak_it_kw"])
    assert row.basis == f"highest facility power, mean over 1 h; of IT {it_kw} kW"


def test_a_cost_is_said_where_there_are_prices() -> None:
    assert "cost" not in summary_table(PLAIN)
    assert not [row for row in headline(PLAIN) if row.group == "cost"]
    prices = {
        "sites.oregon.electricity_price": "0.08 USD/kWh",
        "nodes.node.price": "250 kUSD",
        "sites.idaho": {"pue": 1.2, "grid": {"average": "BPAT"}},
    }
    priced = replace(CASES["priced"], scenario=PLAIN.scenario.replace(prices))
    text = summary_table(priced).split("\n")
    assert "cost    111,045 MUSD: electricity 12,345 MUSD, machines 98,700 MUSD" in text
    said = [(row.label, row.value, row.basis) for row in headline(priced) if row.group == "cost"]
    assert said == [
        ("electricity", "12,345 MUSD", "facility energy x price"),
        ("machines", "98,700 MUSD", "straight-line over calendar lifetime"),
        ("total", "111,045 MUSD", "electricity + machines"),
    ]


def test_part_of_a_cost_is_none() -> None:
    prices = {
        "sites.oregon.electricity_price": "0.08 USD/kWh",
        "sites.texas": {"pue": 1.2, "grid": {"average": "ERCO"}},
        "clusters.train.site": "texas",
    }
    part = replace(
        changed(PLAIN, cost_machines=None),
        basis=PLAIN.basis | {"currency": "USD"},
        scenario=PLAIN.scenario.replace(prices),
    )
    assert "cost    no total: electricity not given, machines not given" in summary_table(part)
    said = [row.basis for row in headline(part) if row.group == "cost"]
    assert said == [
        "not all sites have a price: none for texas",
        "not all node types have a price: none for node",
        "electricity + machines",
    ]
