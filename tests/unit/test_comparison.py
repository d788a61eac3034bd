"""Comparisons: the same seeds on every side, what is refused, what is said and written."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import simulator as fs
from simulator.comparison.alike import unlike
from simulator.comparison.comparison import Comparison
from simulator.comparison.sides import other_peaks
from simulator.errors import InputError
from simulator.folder import check_folder
from simulator.results import load_results
from simulator.scenario import Scenario, from_document, load
from tests.builders import scenario_document

ARRIVALS = {"process": "poisson", "rate": "40 per d"}
JOBS = {
    "clusters": ["c"],
    "arrivals": ARRIVALS,
    "duration": {"p50": "1 h", "p99": "6 h"},
    "gpus": 4,
}
STATES = [{"name": "sleep", "after": "10 min", "power": "10 W", "wake_time": "1 min"}]


def small(**keys: Any) -> Scenario:
    """Return a scenario of two nodes with random jobs and a constant intensity."""
    nodes = {"idle_states": STATES, "embodied": "1000 kg"}
    document = scenario_document(
        nodes=nodes, horizon="2 d", seed=11, workloads={"w": JOBS}, clusters__c__count=2
    )
    return from_document(document).replace(keys.pop("changes", {}) | keys)


@pytest.fixture(scope="module")
def today() -> Scenario:
    return small()


@pytest.fixture(scope="module")
def compared(today: Scenario) -> Comparison:
    asleep = today.replace({"clusters.c.idle": "ladder", "name": "asleep"})
    return fs.compare({"today": today, "asleep": asleep}, seeds=5)


def row_of(found: Comparison, quantity: str) -> dict[str, Any]:
    return found.table.set_index("quantity").loc[quantity].to_dict()


def test_every_side_meets_the_same_seeds_from_that_of_the_first(compared: Comparison) -> None:
    assert compared.names == ("today", "asleep")
    assert compared.seeds == (11, 12, 13, 14, 15)
    for name in compared.names:
        assert tuple(compared.runs[compared.runs["name"] == name]["seed"]) == compared.seeds
    jobs = compared.runs.pivot_table(index="seed", columns="name", values="jobs_submitted")
    assert (jobs["today"] == jobs["asleep"]).all()
    assert jobs["today"].nunique() > 1


def test_a_row_of_the_table_is_what_two_runs_of_a_seed_differ_by(
    compared: Comparison, today: Scenario
) -> None:
    runs = compared.runs.pivot_table(index="seed", columns="name", values="energy_it_kwh")
    row = row_of(compared, "energy_it_kwh")
    differences = runs["asleep"] - runs["today"]
    assert row["difference"] == pytest.approx(differences.mean(), rel=1e-12)
    assert row["n"] == 5
    assert row["low"] < row["difference"] < row["high"] < 0.0
    assert row["clear"] is True
    alone = fs.run(today, seed=13)
    line = compared.runs[(compared.runs["name"] == "today") & (compared.runs["seed"] == 13)].iloc[0]
    assert line["energy_it_kwh"] == alone.summary["energy_it_kwh"]
    assert line["key"] == alone.summary["key"]


def test_identical_scenarios_differ_by_exactly_nothing_in_every_seed(today: Scenario) -> None:
    found = fs.compare({"one": today, "two": today}, seeds=4)
    known = found.table.dropna(subset=["difference"])
    assert len(known) > 20
    for name in ("difference", "low", "high"):
        assert (known[name] == 0.0).all()
    assert not known["clear"].any()
    sides = [found.runs[found.runs["name"] == name] for name in found.names]
    for quantity in known["quantity"]:
        np.testing.assert_array_equal(*(side[quantity].to_numpy() for side in sides))
    assert found.warnings == (
        "two gives exactly the figures of one, whatever the seed; the two seem to say the same",
    )


def test_a_difference_that_is_known_is_found() -> None:
    """A node more that idles for ten hours at 100 W: 1 kWh, 0.1 kg at 100 g/kWh, 0.11 facility.

    Nothing is random, so every seed gives the same and the interval has no width.
    """
    document = scenario_document(nodes={"embodied": "0 kg"}, clusters__c__count=3)
    base = from_document(document).replace({"sites.s.pue": 1.1})
    more = base.replace({"clusters.c.count": 4})
    found = fs.compare({"three": base, "four": more}, seeds=3)
    for quantity, expected in (
        ("energy_it_kwh", 1.0),
        ("energy_facility_kwh", 1.1),
        ("scope2_location_kgco2e", 0.11),
        ("total_kgco2e", 0.11),
        ("energy_dynamic_kwh", 0.0),
    ):
        row = row_of(found, quantity)
        ends = (row["low"], row["difference"], row["high"])
        assert ends == pytest.approx((expected,) * 3, rel=1e-12, abs=1e-12)
    assert row_of(found, "energy_it_kwh")["percent"] == pytest.approx(100 / 3)
    assert row_of(found, "wait_p50_h")["n"] == 0
    assert any("nothing is random here" in text for text in found.warnings)


def test_a_random_difference_covers_the_one_that_theory_gives(today: Scenario) -> None:
    """A constant intensity 50 g/kWh higher costs 0.05 kg for each kWh of the same energy."""
    dirtier = today.replace({"sites.s.grid.average": {"constant": "150 g/kWh"}})
    found = fs.compare({"clean": today, "dirty": dirtier}, seeds=6)
    runs = found.runs[found.runs["name"] == "clean"]
    expected = 0.05 * runs["energy_facility_kwh"].mean()
    row = row_of(found, "scope2_location_kgco2e")
    assert row["difference"] == pytest.approx(expected, rel=1e-12)
    assert row["clear"] is True
    assert row_of(found, "energy_it_kwh")["difference"] == 0.0


def test_three_sides_are_each_set_against_the_first(today: Scenario) -> None:
    sides = {f"{count} nodes": today.replace({"clusters.c.count": count}) for count in (2, 3, 4)}
    found = fs.compare(sides, seeds=2)
    energy = found.table[found.table["quantity"] == "energy_idle_kwh"]
    assert energy["other"].tolist() == ["3 nodes", "4 nodes"]
    assert energy["difference"].tolist() == pytest.approx([4.8, 9.6], rel=1e-3)


# Seeds


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (0, "0 is too few; write at least 1"),
        (-1, "-1 is too few"),
        (1.5, "1.5 is not a number of seeds"),
        ("x", '"x" is not a number of seeds'),
        (True, "true is not a number of seeds"),
        ([], "the list is empty"),
        ([1, 1.5, -3], "1.5 is no seed"),
        ([3, 3, 4], "3 is there twice"),
        (5001, "5,001 seeds for 2 sides are 10,002 runs, more than 10,000"),
        (range(6000), "6,000 seeds for 2 sides"),
    ],
)
def test_seeds_that_are_none_are_refused(today: Scenario, seeds: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        fs.compare({"a": today, "b": today}, seeds=seeds)
    assert message in str(refused.value)


def test_seeds_may_be_listed_and_go_no_further_than_seeds_do(today: Scenario) -> None:
    assert fs.compare({"a": today, "b": today}, seeds=(5, 2)).seeds == (5, 2)
    last = today.replace({"seed": 2**63 - 2})
    assert fs.compare({"a": last, "b": today}, seeds=2).seeds == (2**63 - 2, 2**63 - 1)
    with pytest.raises(InputError, match="go beyond"):
        fs.compare({"a": last, "b": today}, seeds=3)


# What is compared with what


def test_a_fair_what_if_is_like_its_base(today: Scenario) -> None:
    elsewhere = today.replace(
        {
            "sites.s.pue": 1.5,
            "sites.s.grid.average": "PJM",
            "clusters.c.count": 9,
            "workloads.w.gpus": 8,
            "accounting.interval": "15 min",
            "seed": 99,
            "name": "other",
        }
    )
    assert unlike(today, elsewhere) == []
    assert unlike(today.replace({"sites.s.grid.average": "CISO"}), elsewhere) == []


def test_prices_in_other_currencies_are_unlike_and_peaks_over_other_intervals_warned_of(
    today: Scenario,
) -> None:
    euro = today.replace({"sites.s.electricity_price": "0.10 EUR/kWh"})
    dollar = today.replace({"sites.s.electricity_price": "0.10 USD/kWh"})
    assert unlike(euro, dollar) == ["its prices are in USD, of the base in EUR"]
    assert unlike(euro, today) == []
    finer = today.replace({"accounting.interval": "15 min"})
    assert other_peaks({"a": today, "b": euro}) == []
    (said,) = other_peaks({"a": today, "b": finer})
    assert said == "peaks over an accounting.interval of 15 min or 1 h are unlike"


def grid_of(tmp_path: Path, factor: str) -> dict[str, Any]:
    (tmp_path / "g.csv").write_text(
        "time,v\n" + "".join(f"2022-01-0{d}T00:00Z,100\n" for d in range(1, 5))
    )
    return {
        "file": str(tmp_path / "g.csv"), "time": "time", "value": "v", "unit": "g/kWh",
        "factor": factor,
    }  # fmt: skip


def test_unlike_sides_are_refused_with_every_reason_unless_forced(
    today: Scenario, tmp_path: Path
) -> None:
    base = today.replace({"sites.s.grid.average": "CISO"})
    other = today.replace(
        {
            "start": "2022-01-02T00:00:00Z",
            "horizon": "1 d",
            "warm_up": "1 h",
            "drain": True,
            "sites.s.grid.average": grid_of(tmp_path, "direct"),
            "sites.s.grid.marginal": {"constant": "500 g/kWh"},
            "accounting.scope2": ["location-based"],
        }
    )
    both = '["location-based", "market-based"]'
    reasons = [
        "its start is 2022-01-02T00:00:00Z, of the base 2022-01-01T00:00:00Z",
        "its horizon is 1 d, of the base 2 d",
        "its warm_up is 1 h, of the base 0 ms",
        "its drain is true, of the base false",
        f'its accounting.scope2 is ["location-based"], of the base {both}',
        "its average emission factors are direct, of the base life-cycle",
        "its average mix is not stated, of the base production",
        "the base has no marginal intensity at s, it has one everywhere",
    ]
    with pytest.raises(InputError) as refused:
        fs.compare({"a": base, "b": other}, seeds=1)
    assert [issue.path for issue in refused.value.issues] == ["b"] * len(reasons)
    said = [issue.message.partition("; write the same")[0] for issue in refused.value.issues]
    assert said == reasons
    forced = fs.compare({"a": base, "b": other}, seeds=1, force=True)
    assert forced.forced
    assert [text for text in forced.warnings if " is unlike " in text] == [
        f"b is unlike a: {reason}" for reason in reasons
    ]
    assert "marginal_kgco2e" in forced.absent["b"]
    assert row_of(forced, "marginal_kgco2e")["n"] == 0


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ({}, "there is nothing to compare; name two sides or more"),
        ({"a": 1}, 'there is only "a" to compare'),
        ([1, 2], "a value of type list has no names"),
        ({"a": 1, " ": 2}, '" " is no name of a side'),
        ({"a": 1, "b": {}}, "a value of type int is neither a scenario, a file nor a run"),
        ({"a": "none.toml", "b": "none.toml"}, "no such file"),
    ],
)
def test_what_is_no_set_of_sides_is_refused(sides: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        fs.compare(sides)
    assert message in str(refused.value)


def test_grids_that_cannot_be_opened_are_told_of_every_side_before_anything_runs(
    today: Scenario, tmp_path: Path
) -> None:
    late = grid_of(tmp_path, "direct")
    sides = {
        name: today.replace({"start": f"2030-0{at}-01T00:00:00Z", "sites.s.grid.average": late})
        for at, name in enumerate(("a", "b"), start=1)
    }
    with pytest.raises(InputError) as refused:
        fs.compare(sides, seeds=1, force=True)
    assert {issue.path for issue in refused.value.issues} == {
        "a: sites.s.grid.average", "b: sites.s.grid.average",
    }  # fmt: skip


# Finished runs


@pytest.mark.usefixtures("one_figure")
def test_finished_runs_are_compared_without_an_interval(today: Scenario, tmp_path: Path) -> None:
    bigger = today.replace({"clusters.c.count": 3})
    runs = [fs.run(scenario) for scenario in (today, bigger)]
    found = fs.compare(dict(zip(("two", "three"), runs, strict=True)))
    folders = [str(run.save(tmp_path / f"{at}")) for at, run in enumerate(runs)]
    again = fs.compare(dict(zip(("two", "three"), folders, strict=True)))
    assert again.to_csv() == found.to_csv()
    row = row_of(found, "energy_it_kwh")
    assert (row["n"], found.seeds) == (1, (11,))
    expected = runs[1].summary["energy_it_kwh"] - runs[0].summary["energy_it_kwh"]
    assert row["difference"] == expected
    assert row["low"] != row["low"]
    assert "one seed gives no interval" in " ".join(found.text().split())
    assert found.document()["level"] is None


@pytest.mark.usefixtures("one_figure")
def test_finished_runs_need_one_seed_one_kind_and_one_model(
    today: Scenario, tmp_path: Path
) -> None:
    run, other = fs.run(today), fs.run(today, seed=5)
    with pytest.raises(InputError, match="its seed is 5, of a 11"):
        fs.compare({"a": run, "b": other}, force=True)
    with pytest.raises(InputError, match="finished runs have their seed"):
        fs.compare({"a": run, "b": run}, seeds=3)
    with pytest.raises(InputError, match="is a scenario, and the others are finished runs"):
        fs.compare({"a": run, "b": today})
    folder = run.save(tmp_path / "old")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["model_version"] = 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert load_results(folder).model_version == 1
    with pytest.raises(InputError, match="its model version is 1, of the base"):
        fs.compare({"a": run, "b": str(folder)})
    assert fs.compare({"a": run, "b": str(folder)}, force=True).forced


# What is said and written


def test_the_text_holds_the_headlines_in_eighty_columns(compared: Comparison) -> None:
    lines = repr(compared).splitlines()
    assert max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    assert "asleep against today: 5 seeds (11 to 15)" in said
    assert "paired by seed" in said
    assert "95 % interval" in said
    assert "absent on a side, so not compared: market-based carbon, marginal carbon" in said
    assert "location-based: average, constant 100 g/kWh" in said
    total = next(line for line in lines if line.startswith("carbon"))
    assert total.split()[1] == "total"
    assert total.endswith("*")
    assert compared._repr_html_().startswith(
        '<pre style="font-family: monospace">asleep against today'
    )


def test_long_and_odd_names_break_no_line(today: Scenario) -> None:
    names = ("<b>" + "n" * 90, "zwei\nZeilen\x1b[31m " + "x" * 60)
    found = fs.compare(dict.fromkeys(names, today), seeds=2)
    text = found.text()
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "<b>" not in found._repr_html_()


def test_a_folder_holds_what_was_compared(compared: Comparison, tmp_path: Path) -> None:
    folder = compared.save(tmp_path / "out", command="fleetsim compare a b")
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert found == [
        "comparison.csv", "comparison.json", "figures/comparison.png", "figures/comparison.svg",
        "manifest.json", "runs.parquet", "scenarios/asleep.toml", "scenarios/today.toml",
    ]  # fmt: skip
    document = json.loads((folder / "comparison.json").read_text())
    assert document == json.loads(json.dumps(compared.document()))
    assert document["base"] == "today"
    assert document["seeds"] == [11, 12, 13, 14, 15]
    first = document["differences"][0]
    assert first["quantity"] == "total_kgco2e"
    assert first["clear"] is True
    runs = pq.read_table(folder / "runs.parquet")
    assert runs.num_rows == 10
    assert runs.schema.field("total_kgco2e").metadata[b"unit"] == b"kgCO2e"
    assert runs["scope2_market_kgco2e"].null_count == 10
    assert runs["error"].null_count == 10
    again = load(folder / "scenarios" / "asleep.toml")
    assert again.canonical() == compared.scenarios["asleep"].canonical()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["kind"] == "comparison"
    assert manifest["command"] == "fleetsim compare a b"
    assert [side["name"] for side in manifest["sides"]] == ["today", "asleep"]


@pytest.mark.usefixtures("one_figure")
def test_a_comparison_replaces_only_a_comparison(compared: Comparison, tmp_path: Path) -> None:
    folder = compared.save(tmp_path / "out")
    with pytest.raises(InputError, match="results of another comparison"):
        compared.save(folder)
    compared.save(folder, overwrite=True)
    with pytest.raises(InputError, match="files that no run wrote"):
        check_folder(folder, overwrite=True)
    run = fs.run(compared.scenarios["today"]).save(tmp_path / "run")
    with pytest.raises(InputError, match="files that no comparison wrote"):
        compared.save(run, overwrite=True)
    (folder / "scenarios" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="files that no comparison wrote"):
        compared.save(folder, overwrite=True)


def test_csv_is_empty_where_absent_and_reads_back_exactly(
    compared: Comparison, tmp_path: Path
) -> None:
    lines = (compared.to_csv() or "").splitlines()
    cells = {line.split(",")[1]: line.split(",") for line in lines[1:]}
    assert cells["marginal_kgco2e"][2:] == [""] * 9 + ["0", "kgCO2e"]
    assert cells["total_kgco2e"][10] == "true"
    assert float(cells["total_kgco2e"][4]) == row_of(compared, "total_kgco2e")["difference"]
    assert compared.to_csv(tmp_path / "t.csv") is None
    assert (tmp_path / "t.csv").read_text() == compared.to_csv()


def saved(folder: Path) -> None:
    """Write a small comparison into a folder."""
    sides = {"today": small(), "asleep": small(**{"clusters.c.idle": "ladder"})}
    fs.compare(sides, seeds=3).save(folder)


def test_bytes_depend_neither_on_hash_seed_nor_locale_nor_time_zone(
    tmp_path: Path, in_utc: None
) -> None:
    saved(tmp_path / "here")
    there = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kolkata", "LC_ALL": "C"}
    checkout = Path(fs.__file__).parent.parent
    subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; from tests.unit.test_comparison import saved; saved(sys.argv[1])",
            str(tmp_path / "there"),
        ],
        check=True,
        env=os.environ | there | {"PYTHONPATH": str(checkout)},
        cwd=checkout,
    )
    here, there_too = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("here", "there")
    )
    assert here == there_too
    assert b"total_kgco2e" in here["comparison.csv"]


def test_the_waterfall_leads_from_one_mean_to_the_other(compared: Comparison) -> None:
    figure = compared.waterfall()
    title, caption = (text.get_text() for text in figure.texts)
    total = row_of(compared, "total_kgco2e")
    assert title.startswith("asleep emits ")
    assert title.endswith("less than today, most of it idle")
    assert ", means over 5 seeds, location-based" in " ".join(caption.split())
    axes = figure.axes[0]
    names = [label.get_text().split("\n")[0] for label in axes.get_xticklabels()]
    assert names[0] == "today"
    assert names[-1] == "asleep"
    bars = [bar for bar in axes.patches if bar.get_width() < 1]
    unit = {"kg": 1.0, "t": 1e3}[axes.get_ylabel().split("[")[1].split()[0]]
    tops = sorted(bar.get_y() + bar.get_height() for bar in bars[:2])
    assert tops == pytest.approx(sorted((total["base_mean"] / unit, total["other_mean"] / unit)))
    same = compared.waterfall("asleep").texts[0].get_text()
    assert same == title


def test_no_waterfall_leads_to_what_is_no_side(compared: Comparison) -> None:
    with pytest.raises(InputError, match='"tomorrow" is no side to set against today'):
        compared.waterfall("tomorrow")
