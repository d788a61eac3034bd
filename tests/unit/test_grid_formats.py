"""Readers of grid traces: what each takes from its files, and what it refuses."""

import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from simulator import catalog
from simulator.errors import InputError
from simulator.grid_formats import grid_format_names, grid_formats
from simulator.scenario import from_document
from simulator.scenario.grid import signal_of
from simulator.traces.glimpse import format_of, grid_format_of
from tests.builders import scenario_document
from tests.unit import grid_samples as samples
from tests.unit.grid_samples import SAMPLES, read, source_of, written

DATA = Path(os.environ.get("FLEETSIM_DATA", "")) / "grid"
FUELS = {
    "wnd": "Wind", "sun": "Solar", "wat": "Hydropower and Pumped Storage",
    "oil": "All Petroleum Products", "ng": "Natural Gas", "col": "Coal", "nuc": "Nuclear",
    "oth": "Other Fuel Sources",
}  # fmt: skip


def problems(path: Path, form: str, basis: Any = None, **keys: Any) -> list[str]:
    with pytest.raises(InputError) as refused:
        read(path, form, basis, **keys)
    return [issue.message for issue in refused.value.issues]


def test_every_format_has_a_sample_and_a_module_of_its_name() -> None:
    assert set(grid_formats()) == set(SAMPLES) == set(grid_format_names())


@pytest.mark.parametrize("form", SAMPLES)
def test_each_sample_is_read(tmp_path: Path, form: str) -> None:
    sample = SAMPLES[form]
    table, _ = read(written(tmp_path, form), form)
    assert np.datetime_as_string(np.datetime64(table.first_ms, "ms"), unit="m") == sample.first
    assert table.step_ms == sample.step_ms
    wanted = [np.nan if value is None else value for value in sample.values]
    np.testing.assert_allclose(table.values, wanted, rtol=1e-12)
    assert table.row.tolist() == sample.rows


@pytest.mark.parametrize("form", SAMPLES)
def test_each_sample_is_told_by_its_beginning_and_is_no_trace_of_jobs(
    tmp_path: Path, form: str
) -> None:
    path = written(tmp_path, form)
    assert grid_format_of(path) == form
    assert format_of(path) is None


@pytest.mark.parametrize("form", [form for form in SAMPLES if form != "opendc"])
def test_gzipped_files_are_read_the_same(tmp_path: Path, form: str) -> None:
    plain, _ = read(written(tmp_path, form), form)
    content = SAMPLES[form].content
    assert isinstance(content, str)
    packed, _ = read(written(tmp_path, form, gzip.compress(content.encode())), form)
    assert packed.sha256 == plain.sha256


@pytest.mark.parametrize("form", SAMPLES)
def test_an_empty_file_and_one_of_another_kind_are_refused(tmp_path: Path, form: str) -> None:
    assert problems(written(tmp_path, form, ""), form)
    assert problems(written(tmp_path, form, "a,b\n1,2\n"), form)
    assert problems(written(tmp_path, form, b"\xff\xfe\x00a"), form)


# what a format says of its files


@pytest.mark.parametrize(
    ("form", "factor", "mix"),
    [
        ("electricity-maps", "direct", "consumption"),
        ("watttime", "direct", "unknown"),
        ("eia-930", "life-cycle", "production"),
        ("entso-e", "direct", "production"),
        ("carbon-aware-sdk", "unknown", "unknown"),
        ("opendc", "unknown", "unknown"),
        ("csv", "unknown", "unknown"),
    ],
)
def test_a_format_says_what_its_signals_are(
    tmp_path: Path, form: str, factor: str, mix: str
) -> None:
    signal = signal_of(source_of(written(tmp_path, form), form))
    assert (signal.factor, signal.mix) == (factor, mix)


def grid_document(path: Path, signal: str = "average", **keys: Any) -> dict[str, Any]:
    source = {"file": str(path), **keys}
    grid: dict[str, Any] = {"average": {"constant": "100 g/kWh"}}
    return scenario_document(grid={**grid, signal: source})


def refusals(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputError) as refused:
        from_document(document)
    return {
        issue.path.removeprefix("sites.s.grid."): issue.message for issue in refused.value.issues
    }


def test_a_scenario_names_the_format_and_the_basis_follows(tmp_path: Path) -> None:
    from simulator.assumptions import declared_basis

    path = written(tmp_path, "electricity-maps")
    keys = {"format": "electricity-maps", "factor": "life-cycle", "region": "SE-SE3"}
    scenario = from_document(grid_document(path, **keys))
    assert declared_basis(scenario)["average"] == (
        "average, life-cycle, consumption-based, SE-SE3_2022_hourly.csv (SE-SE3)"
    )
    again = from_document(scenario.document)
    assert again.key_text() == scenario.key_text()


def test_keys_that_a_format_needs_and_does_not_take_are_told_together(tmp_path: Path) -> None:
    path = written(tmp_path, "electricity-maps")
    keys = {"format": "electricity-maps", "time": "t", "unit": "g/kWh", "mix": "production"}
    assert refusals(grid_document(path, **keys)) == {
        "average.factor": 'missing; e.g. factor = "life-cycle" (or "direct"), as this format gives '
        "both",
        "average.time": 'not for format = "electricity-maps", which says it itself; leave it out',
        "average.unit": 'not for format = "electricity-maps", which says it itself; leave it out',
        "average.mix": '"production" is not what format = "electricity-maps" holds: consumption',
    }
    assert set(refusals(grid_document(path))) == {"average.time", "average.value", "average.unit"}
    (unknown,) = refusals(grid_document(path, format="electricity-map")).values()
    assert unknown.startswith('"electricity-map" is not')


def test_an_average_format_does_not_stand_for_a_marginal_signal(tmp_path: Path) -> None:
    path = written(tmp_path, "eia-930")
    keys = {"format": "eia-930", "factor": "direct"}
    assert refusals(grid_document(path, "marginal", **keys)) == {
        "marginal.format": '"eia-930" is an average intensity and can\'t stand for a marginal one'
    }


# electricity-maps


def test_both_generations_of_electricity_maps_headers_are_read(tmp_path: Path) -> None:
    old = written(tmp_path, "electricity-maps")
    table, _ = read(old, "electricity-maps", factor="life-cycle")
    assert table.values.tolist() == [26.5, 27.25, 28.0, 25.0]
    new = written(tmp_path, "electricity-maps", samples.ELECTRICITY_MAPS_NEW)
    for factor, values in (("direct", [200, 210, 220]), ("life-cycle", [250, 260, 270])):
        table, found = read(new, "electricity-maps", factor=factor, region="DE")
        assert table.values.tolist() == values
        assert found.warnings == ["1 of 3 rows are estimated by Electricity Maps, not measured"]
    assert read(new, "electricity-maps", region="France")[0].values.tolist() == [20, 21, 22]


def test_of_several_zones_one_is_to_be_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, "electricity-maps", samples.ELECTRICITY_MAPS_NEW)
    assert problems(path, "electricity-maps") == [
        'holds 2 zones, DE, FR; choose one: region = "DE"'
    ]
    assert problems(path, "electricity-maps", region="de") == [
        "no zone \"de\"; the file has DE, FR; did you mean 'DE'?"
    ]


def test_every_column_that_lacks_is_told(tmp_path: Path) -> None:
    text = samples.ELECTRICITY_MAPS_OLD.replace("(direct)", "(x)").replace("Zone Id", "Zone")
    said = problems(written(tmp_path, "electricity-maps", text), "electricity-maps")
    assert len(said) == 2
    assert "no column 'Zone id'" in said[0]
    assert "no column 'Carbon intensity gCO2eq/kWh (direct)'" in said[1]


# watttime


def test_an_average_signal_of_watttime_stands_for_an_average(tmp_path: Path) -> None:
    text = samples.WATTTIME.replace("co2_moer", "co2_aoer").replace("-20.0", "20.0")
    table, _ = read(written(tmp_path, "watttime", text), "watttime", "average")
    assert table.values[2] == 20 * samples.LB
    assert "co2_aoer of CAISO_NORTH in lb/MWh, model of 2023-03-01" in table.what


def test_other_signals_units_and_regions_of_watttime_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "watttime")
    (said,) = problems(path, "watttime", "average")
    assert said == (
        "co2_moer is marginal intensity and can't stand for average; write it under marginal = "
        "{ ... }"
    )
    text = samples.WATTTIME.replace("co2_moer", "health_damage").replace("lbs_co2_per", "usd_per")
    several = problems(written(tmp_path, "watttime", text), "watttime", region="PJM")
    assert [each.split(";")[0] for each in several] == [
        'signal_type is "health_damage"',
        'units are "usd_per_mwh"',
        'holds the region "CAISO_NORTH", not "PJM"',
    ]


def test_broken_entries_of_watttime_are_told_by_their_place(tmp_path: Path) -> None:
    text = samples.WATTTIME.replace("870.5", '"870.5"').replace("-20.0", "true")
    (said,) = problems(written(tmp_path, "watttime", text), "watttime")
    assert said == 'value is no finite number in rows 2 and 3: "870.5"'
    text = samples.WATTTIME.replace('"2023-07-01T00:05:00+00:00"', "5")
    (said,) = problems(written(tmp_path, "watttime", text), "watttime")
    assert said == "point_time is empty in row 2"


# eia-930


def test_stamps_of_eia_mark_ends_and_lost_fuels_leave_gaps(tmp_path: Path) -> None:
    table, found = read(written(tmp_path, "eia-930"), "eia-930")
    assert table.moved
    assert table.what == "net generation of CISO by 5 fuels, life-cycle factors"
    assert found.warnings == [
        "1 step without a value, as a fuel that is reported before and after is missing in them",
        "1 value of generation below 0 taken as 0",
    ]


def test_eia_by_direct_factors_counts_what_burns(tmp_path: Path) -> None:
    table, _ = read(written(tmp_path, "eia-930"), "eia-930", factor="direct", region="PJM")
    first = (20_000 * 760 + 40_000 * 370) / 93_700
    assert table.values[0] == pytest.approx(first, rel=1e-12)


def test_numbers_of_eia_that_are_none_are_refused(tmp_path: Path) -> None:
    text = samples.EIA_930.replace('"10,000"', '"10,00"').replace("9:00:00 AM", "9:00:00 XM", 1)
    said = problems(written(tmp_path, "eia-930", text), "eia-930")
    assert any("is not a number in row 2" in each for each in said)
    assert any("UTC Time at End of Hour is no ISO 8601 time" in each for each in said)


def test_a_form_without_fuels_is_refused(tmp_path: Path) -> None:
    text = "Balancing Authority,UTC Time at End of Hour\nCISO,01/01/2025 9:00:00 AM\n"
    (said,) = problems(written(tmp_path, "eia-930", text), "eia-930")
    assert said.startswith("no column of net generation by fuel; the file has Balancing")


def test_the_intensity_of_a_real_year_is_worked_out_to_the_last_digit(tmp_path: Path) -> None:
    path = DATA / "eia930_2022_hourly.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path.name} is not below FLEETSIM_DATA; docs/data.md says where it is from")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["region"] == "CISO"][:4000]
    heads = [f"Net Generation (MW) from {name} (Adjusted)" for name in FUELS.values()]
    lines = [",".join(["Balancing Authority", "UTC Time at End of Hour", *heads])]
    for row in rows:
        cells = [
            f'"{float(row[f"{fuel}_mw"]):,.1f}"' if row[f"{fuel}_mw"] else "" for fuel in FUELS
        ]
        lines.append(",".join(["CISO", row["timestamp_utc"], *cells]))
    table, _ = read(written(tmp_path, "eia-930", "\n".join(lines)), "eia-930")
    known = np.array([row["qc"] == "ok" for row in rows])
    stated = np.array([float(row["avg_ci_g_per_kwh"] or "nan") for row in rows])
    np.testing.assert_allclose(table.values[known], stated[known], atol=5.1e-4, rtol=0)
    assert known.sum() > 3990


# entso-e


def test_an_area_of_several_types_is_to_be_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, "entso-e")
    assert problems(path, "entso-e", where={}) == [
        'holds the area as BZN, CTY; choose one: where = { AreaTypeCode = "BZN" }'
    ]
    for name in ("DE-LU", "10Y1001A1001A82H"):
        assert read(path, "entso-e", region=name)[0].values[0] == pytest.approx(10 * 760 / 30)
    assert "no area" in problems(path, "entso-e", region="FR")[0]


def test_unknown_types_mixed_steps_and_repeated_rows_are_refused(tmp_path: Path) -> None:
    text = samples.ENTSO_E.replace("Fossil Brown coal/Lignite", "Fossil Unicorn", 1)
    text = text.replace("PT15M", "PT60M", 1)
    said = problems(written(tmp_path, "entso-e", text), "entso-e")
    assert [each.split(";")[0] for each in said] == [
        "ResolutionCode is PT15M, PT60M",
        "ProductionType Fossil Unicorn is not known",
    ]
    line = samples.ENTSO_E.splitlines()[1]
    twice = samples.ENTSO_E.replace(line, f"{line}\n{line}", 1)
    assert problems(written(tmp_path, "entso-e", twice), "entso-e") == [
        "wind onshore twice at one time in row 3"
    ]


def test_a_resolution_that_the_times_do_not_keep_is_refused(tmp_path: Path) -> None:
    text = samples.ENTSO_E.replace("PT15M", "PT60M")
    assert problems(written(tmp_path, "entso-e", text), "entso-e") == [
        "says that a step lasts 1 h, and its times lie 15 min apart"
    ]


def test_commas_where_tabs_should_be_are_told(tmp_path: Path) -> None:
    text = samples.ENTSO_E.replace("\t", ",")
    assert problems(written(tmp_path, "entso-e", text), "entso-e") == [
        "columns are separated by ','; separate them by tabs"
    ]


# carbon-aware-sdk


def test_the_sdks_own_files_of_data_are_read(tmp_path: Path) -> None:
    entries = [
        {"Location": "eastus", "Time": f"2022-01-01T{h:02d}:00:00Z", "Rating": 100 + h,
         "Duration": "08:00:00"}
        for h in (0, 8, 16)
    ]  # fmt: skip
    path = written(tmp_path, "carbon-aware-sdk", json.dumps({"Emissions": entries}))
    table, _ = read(path, "carbon-aware-sdk")
    assert (table.values.tolist(), table.step_ms) == ([100, 108, 116], 8 * samples.H)


def test_durations_that_are_none_differ_or_lie_are_refused(tmp_path: Path) -> None:
    text = samples.CARBON_AWARE_SDK
    cases = {
        text.replace("00:05:00", "5 min", 1): "duration is no time such as",
        text.replace("00:05:00", "00:10:00", 1): "durations of several lengths: 00:05:00, 00:10:00",
        text.replace("00:05:00", "00:10:00"): "says that a step lasts 10 min, and its times lie 5",
        text.replace('"rating": 365', '"rat": 365'): "emissions: no rating in row 3",
    }
    for case, said in cases.items():
        found = problems(written(tmp_path, "carbon-aware-sdk", case), "carbon-aware-sdk")
        assert found[0].startswith(said)
    assert (
        "holds 2 locations, eastus, westus"
        in problems(written(tmp_path, "carbon-aware-sdk"), "carbon-aware-sdk", region=None)[0]
    )


# opendc


@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns", "UTC")]
)
def test_times_of_opendc_are_milliseconds_or_instants(tmp_path: Path, kind: Any) -> None:
    content = samples.opendc(kind=pa.timestamp("ms"))
    if kind != pa.timestamp("ms"):
        content = samples.opendc(
            kind=kind if pa.types.is_integer(kind) else pa.timestamp("ms", kind.tz)
        )
    table, _ = read(written(tmp_path, "opendc", content), "opendc")
    assert table.first_ms == 1_640_995_200_000


def test_a_real_trace_of_opendc_gives_what_its_own_test_expects(tmp_path: Path) -> None:
    path = DATA / "opendc_eu_2022_hourly.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path.name} is not below FLEETSIM_DATA; docs/data.md says where it is from")
    keys = {"time": "timestamp_utc", "value": "avg_ci_g_per_kwh", "unit": "g/kWh"}
    csv_source = samples.GridFile(text=path.name, path=path, where={"region": "BE"}, **keys)
    findings = samples.Findings(path.name, "")
    plain = samples.read_grid(csv_source, "average", findings)
    times = plain.first_ms + plain.step_ms * np.arange(2)
    assert len(plain.values) == 8736
    assert plain.values[:2].tolist() == [29.001, 28.865]
    table, _ = read(written(tmp_path, "opendc", samples.opendc(times.tolist())), "opendc")
    assert table.sha256 != plain.sha256
    assert table.values.tolist() == plain.values[:2].tolist()


# factors


def test_factors_of_fuels_have_sources_and_direct_is_never_above_life_cycle() -> None:
    whole, direct = (catalog.fuel_factors(factor) for factor in ("life-cycle", "direct"))
    assert set(whole) == set(direct) == set(catalog.names("fuels"))
    assert all(direct[fuel] <= whole[fuel] for fuel in whole)
    burnt = {fuel for fuel, value in direct.items() if value}
    assert burnt == {"coal", "gas", "oil"}
