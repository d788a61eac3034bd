"""``fleetsim traces`` on grid traces: what check and convert print, write and refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

from simulator.scenario import from_document
from simulator.simulation import run
from tests.builders import scenario_document
from tests.trace_files import grid_text, hours
from tests.unit import grid_samples as samples
from tests.unit.conftest import Shell
from tests.unit.grid_samples import SAMPLES, read, written

WORDS = {
    "electricity-maps": ("--factor", "direct"),
    "watttime": ("--marginal",),
    "eia-930": ("--factor", "life-cycle", "--region", "CISO"),
    "entso-e": ("--factor", "direct", "--region", "DE_LU", "--where", "AreaTypeCode=BZN"),
    "carbon-aware-sdk": ("--region", "eastus"),
    "opendc": (),
    "csv": (),
}


def plain(path: Path, values: list[object]) -> Path:
    path.write_text(grid_text(hours(values), "timestamp_utc,g_per_kwh"), encoding="utf-8")
    return path


@pytest.mark.parametrize("form", SAMPLES)
def test_check_tells_every_format_and_what_it_holds(
    shell: Shell, tmp_path: Path, form: str
) -> None:
    path = written(tmp_path, form)
    code, out, _ = shell("traces", "check", path.name, *WORDS[form], "--json")
    document = json.loads(out)
    table, _ = read(path, form)
    assert (code, document["kind"], document["format"]) == (0, "grid", form)
    assert document["rows"] == len(SAMPLES[form].rows)
    assert document["steps"] == len(table.values)
    assert document["mean_g_per_kwh"] == pytest.approx(np.nanmean(table.values))


def test_check_prints_rows_span_resolution_mean_range_and_every_gap(
    shell: Shell, tmp_path: Path
) -> None:
    plain(tmp_path / "g.csv", [100, 200, "", "", 300, 400, "", 500])
    code, out, _ = shell("traces", "check", "g.csv", "--factor", "life-cycle")
    assert code == 0
    assert out.splitlines() == [
        "g.csv: csv, average intensity, 8 steps of 1 h",
        "  read       8 rows: column g_per_kwh in g/kWh",
        "  signal     factors life-cycle, mix not stated",
        "  covers     2022-01-01T00:00Z to 2022-01-01T08:00Z, 0.33333 d",
        "  g/kWh      100 to 500, mean 300, median 300",
        "  missing    3 steps in 2 gaps; the longest 2 h from 2022-01-01T02:00Z",
        "             2022-01-01T02:00Z to 2022-01-01T04:00Z: 2",
        "             2022-01-01T06:00Z to 2022-01-01T07:00Z: 1",
    ]


def test_check_tells_local_times_by_the_hour_that_clocks_skip(shell: Shell, tmp_path: Path) -> None:
    rows = [f"2022-03-27T{h:02d}:00:00Z,{100 + h}" for h in (0, 1, 3, 4)]
    (tmp_path / "g.csv").write_text(grid_text(rows, "timestamp_utc,g_per_kwh"), encoding="utf-8")
    out = shell("traces", "check", "g.csv")[1]
    assert "clocks skip such an hour in Europe/Berlin: are the times local?" in out
    assert json.loads(shell("traces", "check", "g.csv", "--json")[1])["skipped_in"] == (
        "Europe/Berlin"
    )


def test_check_tells_local_times_by_the_hour_that_clocks_repeat(
    shell: Shell, tmp_path: Path
) -> None:
    rows = [f"2022-10-30T{h:02d}:00:00Z,{100 + h}" for h in (0, 1, 2, 2, 3, 4)]
    (tmp_path / "g.csv").write_text(grid_text(rows, "timestamp_utc,g_per_kwh"), encoding="utf-8")
    code, _, err = shell("traces", "check", "g.csv")
    assert code == 2
    assert "1 timestamp more than once, the first 2022-10-30T02:00Z in rows 4 and 5" in err
    assert "(an hour that clocks repeat in Europe/Berlin: are the times local?)" in err
    in_summer = [row.replace("10-30", "07-30") for row in rows]
    (tmp_path / "h.csv").write_text(grid_text(in_summer, "timestamp_utc,g_per_kwh"), "utf-8")
    assert "clocks repeat" not in shell("traces", "check", "h.csv")[2]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.3, 0.4, 0.5], ": kg for g, e.g. kg/kWh or t/MWh said as g/kWh or kg/MWh"),
        ([3e5, 4e5, 5e5], ": g for kg, or kWh for MWh, e.g. g/MWh said as g/kWh or kg/MWh"),
    ],
)
def test_check_says_which_unit_was_probably_meant(
    shell: Shell, tmp_path: Path, values: list[object], said: str
) -> None:
    plain(tmp_path / "g.csv", values)
    code, _, err = shell("traces", "check", "g.csv")
    assert code == 0
    assert f"outside 5 to 2000; check the unit{said}" in err


def test_what_a_format_needs_is_asked_for_all_at_once(shell: Shell, tmp_path: Path) -> None:
    path = written(tmp_path, "electricity-maps")
    code, _, err = shell("traces", "check", path.name, "--stamp", "end", "--format",
                         "electricity-maps")  # fmt: skip
    assert code == 2
    assert "--factor  missing; e.g. factor = " in err
    assert '--stamp   not for format = "electricity-maps"' in err


@pytest.mark.parametrize("form", SAMPLES)
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_what_is_converted_reads_as_the_trace(
    shell: Shell, tmp_path: Path, form: str, ending: str
) -> None:
    path = written(tmp_path, form)
    table, _ = read(path, form)
    name = f"out{ending}"
    code, out, _ = shell("traces", "convert", "--from", form, path.name, "-o", name, *WORDS[form])
    assert code == 0
    basis = SAMPLES[form].basis
    assert f"column {basis}_g_per_kwh" in out
    keys = {"time": "timestamp_utc", "value": f"{basis}_g_per_kwh"}
    again, _ = read(tmp_path / name, "csv", basis, **keys)
    assert (again.first_ms, again.step_ms) == (table.first_ms, table.step_ms)
    np.testing.assert_array_equal(again.values, table.values)


def test_a_converted_file_says_its_unit_and_how_a_scenario_uses_it(
    shell: Shell, tmp_path: Path
) -> None:
    path = written(tmp_path, "electricity-maps")
    out = shell("traces", "convert", path.name, "--factor", "life-cycle", "-o", "o.csv")[1]
    assert (tmp_path / "o.csv").read_text(encoding="utf-8").splitlines()[:2] == [
        "timestamp_utc,average_g_per_kwh",
        '"2022-01-01T00:00:00Z",26.5',
    ]
    line = (
        'use it with average = { file = "o.csv", time = "timestamp_utc", value = '
        '"average_g_per_kwh", unit = "g/kWh", factor = "life-cycle", mix = "consumption" }'
    )
    assert line in " ".join(out.split())


def test_gaps_stay_unless_told_how_and_filled_ones_are_marked(shell: Shell, tmp_path: Path) -> None:
    plain(tmp_path / "g.csv", [100, "", 300, ""])
    code, out, err = shell("traces", "convert", "g.csv", "-o", "left.csv")
    assert code == 0
    assert "left.csv: 4 steps of 1 h, 2 without a value, column average_g_per_kwh" in out
    assert "left empty: 2 steps of 1 h in 2 gaps, the first from 2022-01-01T01:00Z" in err
    left = (tmp_path / "left.csv").read_text(encoding="utf-8").splitlines()
    assert left[2] == '"2022-01-01T01:00:00Z",'
    words = ("traces", "convert", "g.csv", "--gaps", "linear", "-o", "filled.csv", "--json")
    document = json.loads(shell(*words)[1])
    assert (document["filled"], document["missing"], document["gaps"]) == (1, 1, "linear")
    assert any("filled by gaps" in warning for warning in document["warnings"])
    assert (tmp_path / "filled.csv").read_text(encoding="utf-8").splitlines() == [
        "timestamp_utc,average_g_per_kwh,filled",
        '"2022-01-01T00:00:00Z",100,""',
        '"2022-01-01T01:00:00Z",200,"linear"',
        '"2022-01-01T02:00:00Z",300,""',
        '"2022-01-01T03:00:00Z",,""',
    ]


def test_a_run_says_what_was_filled_when_and_by_whom(shell: Shell, tmp_path: Path) -> None:
    plain(tmp_path / "g.csv", [100, "", 300, 400])
    shell("traces", "convert", "g.csv", "--gaps", "linear", "-o", "filled.csv")
    keys = {"time": "timestamp_utc", "unit": "g/kWh"}
    made = {"file": str(tmp_path / "filled.csv"), "value": "average_g_per_kwh", **keys}
    results = run(from_document(scenario_document(grid={"average": made}, horizon="3 h"))).results
    assert any("1 step filled when the file was made: linear" in w for w in results.warnings)
    raw = {"file": str(tmp_path / "g.csv"), "value": "g_per_kwh", **keys}
    grid = {"average": raw, "gaps": "linear"}
    results = run(from_document(scenario_document(grid=grid, horizon="3 h"))).results
    assert any('filled by gaps = "linear": 1 step' in warning for warning in results.warnings)
    [row] = [row for row in results.assumptions if row[1] == "average intensity, mean"]
    assert row[4].endswith('step 1 h; 1 step filled by gaps = "linear"')


def test_convert_refuses_what_it_can_not_do_and_leaves_nothing(
    shell: Shell, tmp_path: Path
) -> None:
    plain(tmp_path / "g.csv", [100, -5, 300])
    code, _, err = shell("traces", "convert", "g.csv", "-o", "o.csv")
    assert code == 2
    assert "an average intensity is negative in row 3" in err
    code, _, err = shell("traces", "convert", "g.csv", "-o", "o.csv", "--gaps", "lineal")
    assert code == 2
    assert '--gaps  "lineal" is not' in err
    assert not (tmp_path / "o.csv").exists()
    code, _, err = shell("traces", "convert", "g.csv", "-o", "o.csv", "--marginal")
    assert code == 0
    assert "the marginal intensity is negative in 1 step" in err


def test_a_run_of_a_sample_is_billed_by_it(tmp_path: Path) -> None:
    path = written(tmp_path, "watttime", samples.WATTTIME.replace("null", "100"))
    grid = {
        "average": {"constant": "100 g/kWh"},
        "marginal": {"file": str(path), "format": "watttime"},
    }
    keys = {"start": "2023-07-01T00:00:00Z", "horizon": "25 min"}
    results = run(from_document(scenario_document(grid=grid, **keys))).results
    table, _ = read(path, "watttime")
    kwh = 0.1 * 25 / 60  # one idle node of 100 W
    assert results.summary["marginal_kgco2e"] == pytest.approx(kwh * table.values.mean() / 1000)
    assert results.basis["marginal"] == "marginal, direct, mix not stated, historical.json"
    assert (str(path), table.file_sha256) in results.inputs


@pytest.mark.parametrize("verb", ["check", "convert"])
def test_what_a_recognised_format_says_itself_is_not_said_again(
    shell: Shell, tmp_path: Path, verb: str
) -> None:
    path = written(tmp_path, "electricity-maps")
    words = ["-o", "out.csv"] if verb == "convert" else []
    code, out, err = shell(
        "traces", verb, path.name, "--factor", "direct", "--unit", "g/kWh", *words
    )
    assert (code, out) == (2, "")
    assert "--unit  the file is electricity-maps, which says it itself" in err
    assert not Path("out.csv").exists()


@pytest.mark.parametrize("column", ["marginal_g_per_kwh", "MOER"])
def test_a_column_that_is_marginal_by_its_name_is_no_average(
    shell: Shell, tmp_path: Path, column: str
) -> None:
    text = grid_text(hours([300.0, 400.0]), f"timestamp_utc,{column}")
    (tmp_path / "g.csv").write_text(text, encoding="utf-8")
    words = ("--time", "timestamp_utc", "--value", column, "--unit", "g/kWh")
    code, _, err = shell("traces", "check", "g.csv", *words)
    assert (code, f"{column} is a marginal intensity by its name" in err) == (2, True)
    assert shell("traces", "check", "g.csv", *words, "--marginal")[0] == 0
