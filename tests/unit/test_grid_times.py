"""Timestamps of files: offsets, local time and the two hours of the year that clocks change."""

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.traces.timestamps import local_to_utc
from simulator.units import MS_PER_H, MS_PER_S
from tests.trace_files import NEW_YEAR, NEW_YEAR_MS, grid_text, messages, opened, written

CLOCK_ZERO = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local clocks carry no zone
BERLIN = ZoneInfo("Europe/Berlin")


def stamps_file(path: Path, stamps: list[str], column: str = "time") -> Path:
    rows = [f"{stamp},{100 + k}" for k, stamp in enumerate(stamps)]
    return written(path / "g.csv", grid_text(rows, f"{column},ci"))


def refused(path: Path, **keys: Any) -> str:
    with pytest.raises(InputError) as caught:
        opened(path, **keys)
    return "\n".join(messages(caught.value))


@pytest.mark.parametrize(
    "form",
    [
        "2022-01-01T0{h}:00:00Z",
        "2022-01-01T0{h}:00Z",
        "2022-01-01 0{h}:00:00.000Z",
        "2022-01-01T0{h}:00:00+00:00",
        "2022-01-01 0{h}:00:00+00",
    ],
)
def test_iso_times_with_an_offset_are_instants(tmp_path: Path, form: str) -> None:
    trace = opened(stamps_file(tmp_path, [form.format(h=h) for h in range(4)]))
    assert trace.covered == (NEW_YEAR_MS, NEW_YEAR_MS + 4 * MS_PER_H)


def test_a_fixed_offset_is_taken_off(tmp_path: Path) -> None:
    stamps = [f"2022-01-01T{h:02}:30:00+05:30" for h in range(5, 10)]
    assert opened(stamps_file(tmp_path, stamps)).covered == (
        NEW_YEAR_MS,
        NEW_YEAR_MS + 5 * MS_PER_H,
    )


def test_whole_seconds_since_the_epoch_are_instants(tmp_path: Path) -> None:
    stamps = [str(NEW_YEAR_MS // MS_PER_S + 3600 * h) for h in range(4)]
    assert opened(stamps_file(tmp_path, stamps)).covered[0] == NEW_YEAR_MS


def test_milliseconds_since_the_epoch_are_refused(tmp_path: Path) -> None:
    stamps = [str(NEW_YEAR_MS + MS_PER_H * h) for h in range(4)]
    assert "no number of seconds since 1970" in refused(stamps_file(tmp_path, stamps))


@pytest.mark.parametrize("column", ["timestamp_utc", "Datetime (UTC)", "utc", "time-utc"])
def test_times_without_an_offset_are_utc_where_the_column_says_so(
    tmp_path: Path, column: str
) -> None:
    path = stamps_file(tmp_path, [f"2022-01-01 0{h}:00:00" for h in range(4)], column)
    assert opened(path, time=column).covered[0] == NEW_YEAR_MS


def test_times_without_an_offset_are_refused_where_nothing_says_their_zone(tmp_path: Path) -> None:
    path = stamps_file(tmp_path, [f"2022-01-01 0{h}:00:00" for h in range(4)])
    said = refused(path)
    assert "carries no UTC offset" in said
    assert 'time_zone = "Europe/Berlin"' in said
    trace = opened(path, time_zone="Europe/Berlin", after_end="hold")
    assert trace.covered[0] == NEW_YEAR_MS - MS_PER_H


def test_an_unknown_time_zone_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = stamps_file(tmp_path, [f"2022-01-01 0{h}:00:00" for h in range(4)])
    assert "did you mean 'Europe/Berlin'?" in refused(path, time_zone="Europe/Berlinn")


def test_offsets_in_some_rows_only_are_refused_with_the_others(tmp_path: Path) -> None:
    stamps = ["2022-01-01T00:00Z", "2022-01-01T01:00", "2022-01-01T02:00Z"]
    assert "none in row 3" in refused(stamps_file(tmp_path, stamps))


def test_mixed_offsets_are_refused_unless_a_time_zone_is_named(tmp_path: Path) -> None:
    start = dt.datetime(2022, 3, 27, 0, tzinfo=dt.UTC)
    stamps = [(start + dt.timedelta(hours=h)).astimezone(BERLIN).isoformat() for h in range(3)]
    assert {stamp[-6:] for stamp in stamps} == {"+01:00", "+02:00"}
    path = stamps_file(tmp_path, stamps)
    assert "mixes UTC offsets (+01:00, +02:00)" in refused(path, start=start)
    trace = opened(path, start=start, time_zone="Europe/Berlin")
    first = int(start.timestamp()) * MS_PER_S
    assert trace.on_bins(first, MS_PER_H, 3).tolist() == [100.0, 101.0, 102.0]


@pytest.mark.parametrize(
    "stamp", ["01/02/2022 13:00", "2022-13-01T00:00Z", "soon", "2022-01-01T25Z"]
)
def test_what_is_no_time_is_refused_with_its_row(tmp_path: Path, stamp: str) -> None:
    said = refused(stamps_file(tmp_path, ["2022-01-01T00:00Z", stamp, "2022-01-01T02:00Z"]))
    assert "row 3" in said


def test_an_empty_time_is_refused_with_its_row(tmp_path: Path) -> None:
    path = stamps_file(tmp_path, ["2022-01-01T00:00Z", "", "2022-01-01T02:00Z"])
    assert "time is empty in row 3" in refused(path)


def local_day(day: dt.date, step_min: int = 60) -> list[str]:
    """Return every local time of a day in Berlin as its clocks showed it, without offset."""
    here = dt.datetime.combine(day, dt.time(), BERLIN).astimezone(dt.UTC)
    stamps = []
    while here.astimezone(BERLIN).date() == day:
        stamps.append(here.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M"))
        here += dt.timedelta(minutes=step_min)
    return stamps


@pytest.mark.parametrize("step_min", [15, 30, 60])
@pytest.mark.parametrize(
    ("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)]
)
def test_a_local_day_has_as_many_hours_as_its_clock_showed(
    tmp_path: Path, day: str, hours: int, step_min: int
) -> None:
    stamps = local_day(dt.date.fromisoformat(day), step_min)
    start = dt.datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(dt.UTC)
    trace = opened(stamps_file(tmp_path, stamps), start=start, time_zone="Europe/Berlin")
    first = int(start.timestamp()) * MS_PER_S
    assert trace.covered == (first, first + hours * MS_PER_H)


def test_a_local_hour_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    stamps = [f"2024-03-31 0{h}:00" for h in range(5)]
    said = refused(stamps_file(tmp_path, stamps), time_zone="Europe/Berlin", start=NEW_YEAR)
    assert "a local time that does not exist in Europe/Berlin" in said
    assert len(said.splitlines()) == 1
    assert "row 4" in said


def test_a_repeated_local_hour_that_stands_there_once_is_refused(tmp_path: Path) -> None:
    stamps = [f"2024-10-27 0{h}:00" for h in range(5)]
    said = refused(stamps_file(tmp_path, stamps), time_zone="Europe/Berlin", start=NEW_YEAR)
    assert "a local time that occurs twice" in said
    assert "row 4" in said


@given(
    when=st.datetimes(CLOCK_ZERO.replace(year=1975), CLOCK_ZERO.replace(year=2037)),
    zone=st.sampled_from(
        [
            "UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe",
            "America/St_Johns", "Pacific/Apia",
        ]
    ),
)  # fmt: skip
def test_local_times_become_the_instants_that_zoneinfo_says(when: dt.datetime, zone: str) -> None:
    local_ms = (when - CLOCK_ZERO) // dt.timedelta(milliseconds=1)
    when = CLOCK_ZERO + dt.timedelta(milliseconds=local_ms)
    both = local_to_utc(np.array([local_ms]), zone)
    for fold, times in enumerate(both):
        expected = when.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC)
        ours = CLOCK_ZERO.replace(tzinfo=dt.UTC) + dt.timedelta(milliseconds=int(times[0]))
        assert ours == expected
