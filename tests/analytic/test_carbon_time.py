"""Carbon and the calendar: local days, odd zones, leap years and units against exact answers."""

import datetime as dt
import math
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.traces.timestamps import local_to_utc
from simulator.units import J_PER_KWH, MS_PER_D, MS_PER_H, MS_PER_MIN, MS_PER_S, parse_quantity
from tests.trace_files import NEW_YEAR_MS, grid_text, hours, opened, written

CLOCK_ZERO = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local clocks carry no zone
LEAP = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
LEAP_MS = 1_704_067_200_000


def hours_between(zone: str, first: str, end: str) -> float:
    """Return the hours between two midnights on the clocks of a zone."""
    clock = [
        (dt.datetime.fromisoformat(day) - CLOCK_ZERO) // dt.timedelta(milliseconds=1)
        for day in (first, end)
    ]
    times, again = local_to_utc(np.array(clock), zone)
    assert times.tolist() == again.tolist()
    return float(times[1] - times[0]) / MS_PER_H


@pytest.mark.parametrize(
    ("zone", "first", "end", "expected_h"),
    [
        ("Europe/Berlin", "2024-03-31", "2024-04-01", 23.0),
        ("Europe/Berlin", "2024-10-27", "2024-10-28", 25.0),
        ("America/Los_Angeles", "2024-03-10", "2024-03-11", 23.0),
        ("America/Los_Angeles", "2024-11-03", "2024-11-04", 25.0),
        ("Europe/London", "2024-01-01", "2025-01-01", 8784.0),
        ("UTC", "2024-03-31", "2024-04-01", 24.0),
    ],
)
def test_local_days_have_the_hours_their_clocks_showed(
    zone: str, first: str, end: str, expected_h: float
) -> None:
    assert hours_between(zone, first, end) == expected_h


@pytest.mark.parametrize(("zone", "offset_h"), [("Asia/Kolkata", 5.5), ("Asia/Kathmandu", 5.75)])
def test_zones_off_the_whole_hour_keep_their_offset(zone: str, offset_h: float) -> None:
    local = np.array([(LEAP.replace(tzinfo=None) - CLOCK_ZERO) // dt.timedelta(milliseconds=1)])
    utc, _ = local_to_utc(local, zone)
    assert (local[0] - utc[0]) / MS_PER_H == offset_h


@pytest.mark.parametrize(
    ("zone", "grain_min"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("Europe/Berlin", 60)]
)
def test_hours_of_an_odd_zone_have_their_edges_between_hours_of_utc(
    tmp_path: Path, zone: str, grain_min: int
) -> None:
    """Local hours of 100, 200, ... g/kWh: an hour of UTC holds two of them, in parts."""
    stamps = [f"2024-01-01 {h:02}:00,{100 * (h + 1)}" for h in range(24)]
    path = written(tmp_path / "g.csv", grid_text(stamps))
    trace = opened(path, start=LEAP, time_zone=zone)
    assert trace.grain_ms == grain_min * MS_PER_MIN
    offset = dt.datetime(2024, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset()
    first_local = offset / dt.timedelta(hours=1)
    bins = trace.on_bins(LEAP_MS, grain_min * MS_PER_MIN, 60 // grain_min)
    expected = [100 * (math.floor(first_local + k * grain_min / 60) + 1) for k in range(len(bins))]
    assert bins.tolist() == expected


def test_a_local_day_of_25_hours_is_billed_hour_by_hour(tmp_path: Path) -> None:
    """1 kW through 2024-10-27 in Berlin, hours of 1, 2, ..., 25 g/kWh: 325 g."""
    shown = [*range(3), 2, *range(3, 24)]
    stamps = [f"2024-10-27 {h:02}:00,{k + 1}" for k, h in enumerate(shown)]
    start = dt.datetime(2024, 10, 26, 22, tzinfo=dt.UTC)
    path = written(tmp_path / "g.csv", grid_text(stamps))
    trace = opened(path, start=start, end_ms=25 * MS_PER_H, time_zone="Europe/Berlin")
    values = trace.on_bins(int(start.timestamp()) * MS_PER_S, MS_PER_H, 25)
    assert values.sum() == 325.0


def test_a_leap_year_trace_holds_all_its_8784_hours(tmp_path: Path) -> None:
    """The sequence x = (1664525 x + 1013904223) mod 2^32 from seed 2024: sum 2627857.56389."""
    state, values = 2024, []
    for _ in range(8784):
        state = (1664525 * state + 1013904223) % 2**32
        values.append(50 + 500 * state / 2**32)
    if values[0] != pytest.approx(60.2370426757, rel=1e-11):  # the seed itself may come first
        values = [50 + 500 * 2024 / 2**32, *values[:-1]]
    path = written(tmp_path / "g.csv", grid_text(hours([repr(v) for v in values], first=LEAP)))
    trace = opened(path, start=LEAP, end_ms=366 * MS_PER_D)
    ours = trace.on_bins(LEAP_MS, MS_PER_H, 8784)
    assert ours[:3].tolist() == pytest.approx([60.2370426757, 481.493799435, 384.538487834])
    assert ours[-1] == pytest.approx(220.574232005, rel=1e-11)
    assert math.fsum(ours) == math.fsum(values)
    assert math.fsum(ours) == pytest.approx(2627857.56389, rel=2e-12)


def test_pounds_per_megawatt_hour_in_words_and_in_files(tmp_path: Path) -> None:
    """952.6 lb/MWh x 0.45359237 = 432.092091662 g/kWh."""
    assert parse_quantity("952.6 lb/MWh", "intensity") == pytest.approx(432.092091662, rel=1e-12)
    path = written(tmp_path / "g.csv", grid_text(hours(["952.6"] * 3)))
    value = opened(path, unit="lb/MWh").on_bins(NEW_YEAR_MS, MS_PER_H, 1)[0]
    assert value == pytest.approx(952.6 * 0.45359237, rel=1e-14)


def test_the_chain_from_watts_over_joules_to_tonnes() -> None:
    """250 W x 5400 s = 1.35 MJ = 0.375 kWh; at 432.1 g/kWh 162.0375 g = 0.0001620375 t."""
    energy_j = parse_quantity("250 W", "power") * parse_quantity("5400 s", "time") / MS_PER_S
    assert energy_j == 1_350_000.0
    assert energy_j / J_PER_KWH == pytest.approx(0.375, rel=1e-15)
    grams = energy_j / J_PER_KWH * parse_quantity("432.1 g/kWh", "intensity")
    assert grams == pytest.approx(parse_quantity("0.1620375 kg", "mass"), rel=1e-12)
    assert grams == pytest.approx(parse_quantity("0.0001620375 t", "mass"), rel=1e-12)


def test_opendc_carbon_from_quarter_hours(tmp_path: Path) -> None:
    """150 W for two hours on the eight quarters of NL 2022: 49.7641443 g."""
    quarters = [
        164.517793, 162.94891, 164.301004, 167.580962, 169.095044, 167.972042, 165.631888,
        164.996205,
    ]  # fmt: skip
    rows = hours(quarters, step_ms=15 * MS_PER_MIN)
    trace = opened(written(tmp_path / "g.csv", grid_text(rows)), end_ms=2 * MS_PER_H)
    grams = 0.15 * trace.on_bins(NEW_YEAR_MS, 15 * MS_PER_MIN, 8).sum() / 4
    assert grams == pytest.approx(49.7641443, rel=1e-8)


@pytest.mark.parametrize(("zone", "expected_g"), [("BE", 8.6798), ("NL", 49.7641)])
def test_opendc_carbon_from_the_european_file(
    data_folder: Path, zone: str, expected_g: float
) -> None:
    """150 W for two hours from New Year 2022, as OpenDC's own test expects to 0.0002 g."""
    trace = opened(
        data_folder / "grid" / "opendc_eu_2022_hourly.csv.gz",
        time="timestamp_utc",
        value="avg_ci_g_per_kwh",
        where={"region": zone},
        end_ms=2 * MS_PER_H,
    )
    grams = 0.15 * trace.on_bins(NEW_YEAR_MS, MS_PER_H, 2).sum()
    assert grams == pytest.approx(expected_g, abs=2e-4)


def test_the_real_gap_of_the_french_file_is_refused_and_can_be_filled(data_folder: Path) -> None:
    path = data_folder / "grid" / "opendc_eu_2022_hourly.csv.gz"
    keys = {
        "time": "timestamp_utc",
        "value": "avg_ci_g_per_kwh",
        "where": {"region": "FR"},
        "end_ms": 363 * MS_PER_D,
    }
    with pytest.raises(ValueError, match=r"no value in row \d+; fill with gaps"):
        opened(path, **keys)
    filled = opened(path, gaps="linear", **keys).on_bins(NEW_YEAR_MS, MS_PER_H, 363 * 24)
    assert np.isfinite(filled).all()


def test_a_marginal_trace_of_2020_is_read_for_its_whole_leap_year(data_folder: Path) -> None:
    trace = opened(
        data_folder / "grid" / "caiso_sgip_moer_2020_hourly.csv.gz",
        time="timestamp_utc",
        value="marginal_g_per_kwh",
        where={"region": "CAISO_PGE"},
        start=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        end_ms=366 * MS_PER_D,
        at="sites.oregon.grid.marginal",
    )
    assert trace.basis == "marginal"
    assert trace.warnings == ()
    assert trace.covered[1] - trace.covered[0] == 8784 * MS_PER_H
