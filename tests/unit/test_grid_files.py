"""Grid files: what is read, what is filled, and what is refused with its row."""

import datetime as dt
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN
from tests.trace_files import (
    NEW_YEAR,
    NEW_YEAR_MS,
    grid_text,
    hours,
    messages,
    opened,
    written,
)

MARGINAL = "sites.oregon.grid.marginal"


def refused(path: Path, **keys: Any) -> str:
    """Open a file that must be refused; return all messages, one a line."""
    with pytest.raises(InputError) as caught:
        opened(path, **keys)
    assert {issue.path for issue in caught.value.issues} <= {"sites.oregon.grid.average", MARGINAL}
    return "\n".join(messages(caught.value))


def first_values(path: Path, count: int = 3, **keys: Any) -> list[float]:
    return opened(path, **keys).on_bins(NEW_YEAR_MS, MS_PER_H, count).tolist()


def test_plain_gzipped_and_parquet_files_read_the_same(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = grid_text(hours([400, 350, 120]))
    plain = written(tmp_path / "g.csv", text)
    packed = tmp_path / "g.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    times = NEW_YEAR_MS + MS_PER_H * np.arange(3)
    table = {"time": pa.array(times, pa.timestamp("ms", "UTC")), "ci": [400.0, 350.0, 120.0]}
    pq.write_table(pa.table(table), tmp_path / "g.parquet")
    for path in (plain, packed, tmp_path / "g.parquet"):
        assert first_values(path) == [400.0, 350.0, 120.0]


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("g/kWh", "432.1", 432.1),
        ("kg/kWh", "0.4321", 432.1),
        ("kg/MWh", "432.1", 432.1),
        ("t/MWh", "0.4321", 432.1),
        ("lb/MWh", "952.6", 432.092091662),
    ],
)
def test_values_come_in_any_unit_of_intensity(
    tmp_path: Path, unit: str, value: str, expected: float
) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([value] * 3)))
    assert first_values(path, unit=unit) == pytest.approx([expected] * 3, rel=1e-11)


def test_rows_are_chosen_by_comparing_columns_as_text(tmp_path: Path) -> None:
    rows = [
        f"{row},{zone},0" for zone in ("A", "B") for row in hours([10 if zone == "A" else 20] * 3)
    ]
    path = written(tmp_path / "g.csv", grid_text(rows, "time,ci,zone,quality"))
    assert first_values(path, where={"zone": "B", "quality": "0"}) == [20.0] * 3


def test_stamps_of_the_end_of_a_step_move_one_step_earlier(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([1.5, 400, 350, 120])))
    assert first_values(path, stamp="end") == [400.0, 350.0, 120.0]


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_the_step_is_taken_from_the_timestamps(tmp_path: Path, minutes: int) -> None:
    count = 3 * 60 // minutes
    rows = hours(range(10, 10 + count), step_ms=minutes * MS_PER_MIN)
    trace = opened(written(tmp_path / "g.csv", grid_text(rows)))
    values = trace.on_bins(NEW_YEAR_MS, minutes * MS_PER_MIN, count)
    assert values.tolist() == list(range(10, 10 + count))


def test_a_byte_order_mark_crlf_and_blanks_are_accepted(tmp_path: Path) -> None:
    text = "\ufeff" + grid_text([row.replace(",", " , ") for row in hours([400, 350, 120])])
    path = tmp_path / "g.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode() + b"\r\n")
    assert first_values(path) == [400.0, 350.0, 120.0]


def test_a_line_fills_a_gap_and_says_so(tmp_path: Path) -> None:
    rows = hours([400, "", 200, 100])
    del rows[2]
    trace = opened(written(tmp_path / "g.csv", grid_text(rows)), gaps="linear")
    assert trace.on_bins(NEW_YEAR_MS, MS_PER_H, 4).tolist() == [400.0, 300.0, 200.0, 100.0]
    (warning,) = trace.warnings
    assert 'filled by gaps = "linear": 2 steps of 1 h from 2022-01-01T01:00Z' in warning


def test_the_previous_week_fills_a_gap_also_one_of_two_weeks(tmp_path: Path) -> None:
    rows = hours(range(100, 100 + 24 * 7 * 4))
    rows = rows[: 24 * 7] + rows[24 * 7 * 3 :]
    end_ms = 28 * MS_PER_D
    path = written(tmp_path / "g.csv", grid_text(rows))
    trace = opened(path, gaps="previous-week", end_ms=end_ms)
    values = trace.on_bins(NEW_YEAR_MS, MS_PER_H, 24 * 28)
    week = 24 * 7
    assert values[week : 2 * week].tolist() == values[:week].tolist()
    assert values[2 * week : 3 * week].tolist() == values[:week].tolist()


def test_a_gap_that_has_nothing_to_be_filled_from_is_refused(tmp_path: Path) -> None:
    rows = hours([400, 350, 120, 100])
    del rows[1]
    path = written(tmp_path / "g.csv", grid_text(rows))
    assert "has nothing to fill them from" in refused(path, gaps="previous-week")
    opened_late = hours(["", 350, 120, 100])
    path = written(tmp_path / "h.csv", grid_text(opened_late))
    assert "no value in row 2" in refused(path, gaps="linear")


def test_a_gap_inside_the_run_is_refused_with_the_first_one_and_the_count(tmp_path: Path) -> None:
    rows = hours(range(100, 124))
    del rows[10:12], rows[5]
    said = refused(written(tmp_path / "g.csv", grid_text(rows)), end_ms=MS_PER_D)
    assert "missing 3 steps of 1 h in 2 gaps" in said
    assert "the first from 2022-01-01T05:00Z to 2022-01-01T06:00Z, the longest 2 h" in said
    assert 'gaps = "linear" or "previous-week"' in said


def test_a_gap_outside_the_run_is_a_warning(tmp_path: Path) -> None:
    rows = hours(range(100, 124))
    del rows[10]
    trace = opened(written(tmp_path / "g.csv", grid_text(rows)))
    (warning,) = trace.warnings
    assert "missing outside the run's time: 1 step of 1 h from 2022-01-01T10:00Z" in warning
    with pytest.raises(InputError, match="no value at 2022-01-01T10:00Z"):
        trace.on_bins(NEW_YEAR_MS, MS_PER_H, 24)


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "  "])
def test_an_empty_value_is_refused_with_its_row(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, cell, 120])))
    assert "no value in row 3" in refused(path)


def test_a_gap_where_a_wrapped_run_comes_by_is_refused(tmp_path: Path) -> None:
    rows = hours(range(100, 124))
    del rows[1]
    path = written(tmp_path / "g.csv", grid_text(rows))
    late = NEW_YEAR + dt.timedelta(hours=20)
    assert opened(path, start=late, after_end="wrap").warnings
    assert "missing 1 step" in refused(path, start=late, after_end="wrap", end_ms=8 * MS_PER_H)


def test_a_trace_shorter_than_the_run_is_refused_with_what_it_covers(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, 350])))
    said = refused(path)
    assert "covers 2022-01-01T00:00Z to 2022-01-01T02:00Z" in said
    assert "the run lasts to 2022-01-01T03:00Z" in said
    assert 'after_end = "wrap" or "hold"' in said


@pytest.mark.parametrize("after_end", ["error", "wrap", "hold"])
def test_a_trace_that_starts_after_the_run_is_refused(tmp_path: Path, after_end: str) -> None:
    late = hours(range(100, 110), first=NEW_YEAR + dt.timedelta(hours=1))
    path = written(tmp_path / "g.csv", grid_text(late))
    assert "starts at 2022-01-01T01:00Z, after the run's start" in refused(
        path, after_end=after_end
    )


LEAP = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def test_a_leap_year_with_the_last_day_missing_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400] * 8760, first=LEAP)))
    for days in (28, 366):
        said = refused(path, start=LEAP, end_ms=days * MS_PER_D)
        assert "8,760 rows for 2024, a leap year of 8,784 h: 24 h are missing" in said
        assert "from 2024-12-31T00:00Z" in said
    assert opened(path, start=LEAP, end_ms=366 * MS_PER_D, after_end="hold")


def test_a_leap_year_without_its_29th_of_february_is_refused(tmp_path: Path) -> None:
    rows = hours([400] * 8784, first=LEAP)
    del rows[59 * 24 : 60 * 24]
    path = written(tmp_path / "g.csv", grid_text(rows))
    said = refused(path, start=LEAP, end_ms=366 * MS_PER_D)
    assert "24 h are missing, from 2024-02-29T00:00Z" in said
    assert opened(path, start=LEAP, end_ms=366 * MS_PER_D, gaps="linear")


def test_a_whole_leap_year_and_a_common_year_of_8760_hours_are_read(tmp_path: Path) -> None:
    leap = written(tmp_path / "leap.csv", grid_text(hours([400] * 8784, first=LEAP)))
    common = written(tmp_path / "common.csv", grid_text(hours([400] * 8760)))
    assert opened(leap, start=LEAP, end_ms=366 * MS_PER_D).warnings == ()
    assert opened(common, end_ms=365 * MS_PER_D).warnings == ()


def test_repeated_timestamps_are_refused_with_their_rows(tmp_path: Path) -> None:
    rows = hours([400, 350, 120])
    said = refused(written(tmp_path / "g.csv", grid_text([*rows[:2], rows[1], rows[2]])))
    assert "1 timestamp more than once, the first 2022-01-01T01:00Z in rows 3 and 4" in said


def test_several_series_in_one_file_are_refused_with_a_hint(tmp_path: Path) -> None:
    rows = [f"{row},{zone}" for zone in "AB" for row in hours([400, 350, 120])]
    said = refused(written(tmp_path / "g.csv", grid_text(rows, "time,ci,zone")))
    assert 'choose one, e.g. where = { region = "X" }' in said


def test_unsorted_timestamps_are_refused_and_not_sorted(tmp_path: Path) -> None:
    rows = hours([400, 350, 120, 90])
    rows[1], rows[2] = rows[2], rows[1]
    assert "timestamps go back in row 4" in refused(written(tmp_path / "g.csv", grid_text(rows)))


def test_steps_of_different_length_are_refused(tmp_path: Path) -> None:
    quarters = hours([400] * 48, step_ms=15 * MS_PER_MIN)
    later = hours([400] * 12, first=NEW_YEAR + dt.timedelta(hours=12))
    said = refused(written(tmp_path / "g.csv", grid_text(quarters + later)), gaps="linear")
    assert "steps of different length: 15 min (48 times) and 1 h (11 times)" in said


def test_steps_that_do_not_fit_one_another_are_refused(tmp_path: Path) -> None:
    rows = hours([400] * 5) + hours([400], first=NEW_YEAR + dt.timedelta(hours=5, minutes=7))
    said = refused(written(tmp_path / "g.csv", grid_text(rows)))
    assert "steps of different length: 1 h (4 times) and 67 min (1 time)" in said


def test_one_timestamp_tells_no_step(tmp_path: Path) -> None:
    assert "one timestamp only" in refused(written(tmp_path / "g.csv", grid_text(hours([400]))))


def test_a_wrong_year_does_not_fill_the_memory(tmp_path: Path) -> None:
    rows = [*hours([400] * 10, step_ms=1000), "2999-01-01T00:00:00Z,400"]
    assert "look for a wrong year" in refused(written(tmp_path / "g.csv", grid_text(rows)))


def test_a_negative_average_is_refused_and_a_negative_marginal_warned_of(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, -3, 120])))
    assert "an average intensity is negative in row 3" in refused(path)
    (warning,) = opened(path, at=MARGINAL).warnings
    assert "the marginal intensity is negative in 1 step" in warning


@pytest.mark.parametrize(("unit", "value"), [("g/kWh", 0.4), ("kg/kWh", 400)])
def test_an_implausible_median_is_warned_of_and_the_unit_wins(
    tmp_path: Path, unit: str, value: float
) -> None:
    trace = opened(written(tmp_path / "g.csv", grid_text(hours([value] * 3))), unit=unit)
    assert "check the unit" in trace.warnings[0]


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ('"1,234.5"', "no thousands separators"),
        ('"432,1"', "write a point for the decimals"),
        ("n/a", "leave the cell empty"),
        ("1_000", "write a plain number"),
        ("inf", "infinite"),
    ],
)
def test_what_is_no_number_is_refused_with_its_row(tmp_path: Path, cell: str, hint: str) -> None:
    said = refused(written(tmp_path / "g.csv", grid_text(hours([400, cell, 120]))))
    assert "row 3" in said
    assert hint in said
    assert len(said.splitlines()) == 1 or cell == "inf"


def test_an_unquoted_decimal_comma_is_refused_as_a_ragged_row(tmp_path: Path) -> None:
    said = refused(written(tmp_path / "g.csv", grid_text(hours(["432,1", "432,2", "432,3"]))))
    assert "3 rows without 2 columns: rows 2, 3 and 4 (row 2 has 3)" in said
    assert "a comma inside a number" in said


def test_ragged_rows_are_refused_with_their_rows(tmp_path: Path) -> None:
    rows = hours([400, 350, 120])
    said = refused(
        written(tmp_path / "g.csv", grid_text([rows[0], "x", rows[1], "y,1,2", rows[2]]))
    )
    assert "2 rows without 2 columns: rows 3 and 5" in said


def test_a_blank_line_inside_is_refused_with_its_row(tmp_path: Path) -> None:
    rows = hours([400, 350, 120])
    said = refused(written(tmp_path / "g.csv", grid_text([rows[0], "", *rows[1:]])))
    assert "time is empty in row 3" in said


@pytest.mark.parametrize("cell", ['"4\n00"', '"400'])
def test_line_breaks_inside_a_cell_are_refused_with_the_row(tmp_path: Path, cell: str) -> None:
    said = refused(written(tmp_path / "g.csv", grid_text(hours([400, cell, 120]))))
    assert "a cell in row 3 holds a line break or an open quote" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"time,ci\n", "a header and no row of data"),
        (b"time;ci\n2022;4\n", "columns are separated by ';'"),
        (b"time\tci\n2022\t4\n", "columns are separated by"),
        (b"time,ci\n2022-01-01T00:00Z,4\xff\n", "not UTF-8 text at byte 27"),
        (b"PK\x03\x04rest", "a zip archive or a spreadsheet"),
        (b"\x1f\x8b\x08broken", "the gzip file is broken or cut short"),
        (gzip.compress(b"time,ci\n" * 99, mtime=0)[:-12], "the gzip file is broken or cut short"),
        (b"PAR1 and nothing else", "the Parquet file is broken"),
    ],
)
def test_files_that_are_no_table_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "g.csv"
    path.write_bytes(content)
    assert said in refused(path)


def test_a_missing_file_is_refused_with_the_path_as_given_and_as_resolved(tmp_path: Path) -> None:
    said = refused(tmp_path / "absent.csv")
    assert said.startswith("absent.csv: no such file")
    assert str(tmp_path / "absent.csv") in said
    said = refused(tmp_path / "x.csv", text="data:grid/x.csv")
    assert "docs/data.md says where anyone gets it" in said


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "not a file" in refused(tmp_path)


def test_a_wrong_column_is_refused_with_the_columns_there_are(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, 350, 120]), "timestamp,intensity"))
    said = refused(path, time="timestmap", value="ci", where={"zone": "A"})
    assert "the file has timestamp, intensity; did you mean 'timestamp'?" in said
    assert said.count("no column") == 3


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    rows = [f"{row},7" for row in hours([400, 350, 120])]
    path = written(tmp_path / "g.csv", grid_text(rows, "time,ci,ci"))
    assert "more than once" in refused(path)


def test_a_filter_that_no_row_passes_is_refused_with_what_there_is(tmp_path: Path) -> None:
    rows = [f"{row},CISO" for row in hours([400, 350, 120])]
    path = written(tmp_path / "g.csv", grid_text(rows, "time,ci,region"))
    said = refused(path, where={"region": "CIS0"})
    assert "no row where region is \"CIS0\"; the file has CISO; did you mean 'CISO'?" in said


def test_all_problems_of_a_file_are_said_at_once(tmp_path: Path) -> None:
    rows = hours([400, -5, 120, 90], first=NEW_YEAR + dt.timedelta(hours=1))
    said = refused(written(tmp_path / "g.csv", grid_text([*rows[:2], rows[1], *rows[2:]])))
    for problem in ("more than once", "negative in row", "after the run's start"):
        assert problem in said


def test_the_hourly_eia_file_is_read_with_its_gaps_filled(data_folder: Path) -> None:
    path = data_folder / "grid" / "eia930_2022_hourly.csv.gz"
    keys = {
        "time": "timestamp_utc",
        "value": "avg_ci_g_per_kwh",
        "where": {"region": "CISO", "qc": "ok"},
        "end_ms": 365 * MS_PER_D,
    }
    assert "missing 3 steps of 1 h in 3 gaps" in refused(path, **keys)
    trace = opened(path, gaps="linear", **keys)
    values = trace.on_bins(NEW_YEAR_MS, MS_PER_H, 8760)
    assert values.mean() == pytest.approx(256.2, abs=0.1)
    assert (values.min(), values.max()) == pytest.approx((74.1, 449.0), abs=0.05)


# another time


def test_a_trace_of_another_year_is_refused_as_such(tmp_path: Path) -> None:
    rows = hours([100.0] * 24, first=NEW_YEAR.replace(year=2021))
    path = written(tmp_path / "g.csv", grid_text(rows))
    assert (
        "g.csv: covers 2021-01-01T00:00Z to 2021-01-02T00:00Z, and the run lasts from "
        "2022-01-01T00:00Z to 2022-01-01T03:00Z: another time, most often another year; start the "
        "run within the trace, or give the trace of the run's time"
    ) in refused(path)
    later = hours([100.0] * 24, first=NEW_YEAR.replace(year=2023))
    path = written(tmp_path / "g.csv", grid_text(later))
    assert "another time, most often another year" in refused(path)


@pytest.mark.parametrize("after_end", ["wrap", "hold"])
def test_a_trace_of_a_year_before_is_made_to_last_with_a_warning(
    tmp_path: Path, after_end: str
) -> None:
    rows = hours([100.0] * 24, first=NEW_YEAR.replace(year=2021))
    path = written(tmp_path / "g.csv", grid_text(rows))
    (said,) = opened(path, after_end=after_end).warnings
    assert "all of it before the run; what follows is made up by after_end" in said


def test_a_gap_where_clocks_are_put_forward_is_told_as_such(tmp_path: Path) -> None:
    first = NEW_YEAR.replace(month=3, day=27)
    rows = hours([100.0] * 6, first=first)
    del rows[2]
    path = written(tmp_path / "g.csv", grid_text(rows))
    assert (
        "missing 1 step of 1 h from 2022-03-27T02:00Z to 2022-03-27T03:00Z (an hour that clocks "
        "skip in Europe/Berlin: are the times local?); fill with"
    ) in refused(path, start=first)
