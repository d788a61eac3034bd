"""Constants, catalog profiles and files as one trace: edges, coverage and values on bins."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import catalog
from simulator.errors import InputError
from simulator.scenario.grid import GridConstant, GridName
from simulator.traces.grid import GridTrace, open_grid
from simulator.traces.intensity import MonthHourProfile
from simulator.traces.series import Series
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN
from tests.trace_files import NEW_YEAR, NEW_YEAR_MS, grid_text, hours, opened, written

AVERAGE, MARGINAL = "sites.oregon.grid.average", "sites.oregon.grid.marginal"


def source_trace(source: Any, path: str = AVERAGE) -> GridTrace:
    return open_grid(
        source, start=NEW_YEAR, end_ms=MS_PER_D, after_end="error", gaps="error", path=path
    )


def named(name: str, path: str = AVERAGE) -> GridTrace:
    return source_trace(GridName.model_construct(name=name), path)


def constant(value: float, path: str = AVERAGE) -> GridTrace:
    return source_trace(GridConstant.model_construct(g_per_kwh=value), path)


def epoch_ms(*when: int) -> int:
    return int(dt.datetime(*when, tzinfo=dt.UTC).timestamp()) * 1000


def test_a_constant_has_no_edges_and_holds_always() -> None:
    trace = constant(380.0)
    assert trace.grain_ms == 0
    assert trace.covered is None
    assert trace.label == "constant 380 g/kWh"
    assert trace.on_bins(-7, 13, 4).tolist() == [380.0] * 4


def test_the_path_says_whether_a_constant_is_average_or_marginal() -> None:
    assert constant(380.0).basis == "average"
    assert constant(500.0, MARGINAL).basis == "marginal"


def test_a_catalog_grid_gives_the_mean_of_month_and_hour_in_utc() -> None:
    trace = named("CISO")
    means = catalog.grid("CISO")["mean_g_per_kwh"]
    assert trace.grain_ms == MS_PER_H
    for when, place in (
        ((2022, 1, 1, 0), 0),
        ((2024, 2, 29, 23), 24 + 23),
        ((1999, 12, 31, 12), 11 * 24 + 12),
    ):
        assert trace.on_bins(epoch_ms(*when), MS_PER_H, 1)[0] == means[place]


def test_a_catalog_grid_changes_with_the_month_at_midnight_utc() -> None:
    trace = named("CISO")
    means = catalog.grid("CISO")["mean_g_per_kwh"]
    around = trace.on_bins(epoch_ms(2023, 1, 31, 23), 30 * MS_PER_MIN, 4)
    assert around.tolist() == [means[23], means[23], means[24], means[24]]


def test_a_catalog_grid_carries_basis_factor_source_year_licence_and_caveats() -> None:
    trace = named("CAISO", MARGINAL)
    assert (trace.basis, trace.factor) == ("marginal", "direct")
    for said in ("2020", "CC BY 4.0", "WattTime", "PGE profile"):
        assert said in trace.note


def test_a_marginal_grid_cannot_stand_for_an_average_one() -> None:
    with pytest.raises(InputError, match=r"CAISO.*is a marginal intensity"):
        named("CAISO", AVERAGE)
    with pytest.raises(InputError, match=r"CISO.*is an average intensity"):
        named("CISO", MARGINAL)


def test_an_unknown_grid_is_an_input_error_with_its_path() -> None:
    with pytest.raises(InputError) as caught:
        named("CIS0")
    assert caught.value.issues[0].path == AVERAGE
    assert "did you mean 'CISO'?" in caught.value.issues[0].message


def test_a_file_gives_one_value_to_each_bin_of_a_step(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, 350, 120])))
    trace = opened(path)
    assert trace.covered == (NEW_YEAR_MS, NEW_YEAR_MS + 3 * MS_PER_H)
    assert trace.on_bins(NEW_YEAR_MS, MS_PER_H, 3).tolist() == [400.0, 350.0, 120.0]
    quarters = trace.on_bins(NEW_YEAR_MS + 45 * MS_PER_MIN, 15 * MS_PER_MIN, 3)
    assert quarters.tolist() == [400.0, 350.0, 350.0]


@pytest.mark.parametrize(
    ("minute", "step_min", "grain_min"), [(0, 60, 60), (0, 15, 15), (30, 60, 30), (7, 5, 1)]
)
def test_the_grain_divides_every_edge(
    tmp_path: Path, minute: int, step_min: int, grain_min: int
) -> None:
    first = NEW_YEAR - dt.timedelta(hours=1) + dt.timedelta(minutes=minute)
    rows = hours(range(100, 200), first=first, step_ms=step_min * MS_PER_MIN)
    trace = opened(written(tmp_path / "g.csv", grid_text(rows)))
    assert trace.grain_ms == grain_min * MS_PER_MIN


def test_bins_that_could_straddle_an_edge_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    trace = opened(written(tmp_path / "g.csv", grid_text(hours([400, 350, 120]))))
    with pytest.raises(ValueError, match="straddle"):
        trace.on_bins(NEW_YEAR_MS, 7 * MS_PER_MIN, 2)
    with pytest.raises(ValueError, match="straddle"):
        trace.on_bins(NEW_YEAR_MS + 1, MS_PER_H, 2)


def test_past_its_end_a_trace_refuses_with_what_it_covers(tmp_path: Path) -> None:
    trace = opened(written(tmp_path / "g.csv", grid_text(hours([400, 350, 120]))))
    with pytest.raises(InputError, match=r"no value at 2022-01-01T03:00Z; it covers 2022") as told:
        trace.on_bins(NEW_YEAR_MS, MS_PER_H, 4)
    assert told.value.issues[0].path == AVERAGE
    with pytest.raises(InputError, match="no value at 2021-12-31T23:00Z"):
        trace.on_bins(NEW_YEAR_MS - MS_PER_H, MS_PER_H, 1)


def test_wrap_starts_again_at_the_first_step(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, 350, 120])))
    trace = opened(path, after_end="wrap", end_ms=7 * MS_PER_H)
    assert trace.on_bins(NEW_YEAR_MS, MS_PER_H, 7).tolist() == [400, 350, 120, 400, 350, 120, 400]


def test_wrap_lets_a_trace_of_one_year_serve_another(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, 350, 120])))
    later = NEW_YEAR + dt.timedelta(days=730, hours=1)
    trace = opened(path, after_end="wrap", start=later)
    first = NEW_YEAR_MS + 730 * MS_PER_D + MS_PER_H
    assert trace.on_bins(first, MS_PER_H, 3).tolist() == [350.0, 120.0, 400.0]


def test_hold_keeps_the_last_value(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", grid_text(hours([400, 350, 120])))
    trace = opened(path, after_end="hold", end_ms=5 * MS_PER_H)
    assert trace.on_bins(NEW_YEAR_MS, MS_PER_H, 5).tolist() == [400, 350, 120, 120, 120]


def test_the_hash_is_of_what_was_read_and_not_of_how_it_was_packed(tmp_path: Path) -> None:
    import gzip

    text = grid_text(hours([400, 350, 120]))
    plain = written(tmp_path / "g.csv", text)
    packed = tmp_path / "g.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    other = written(tmp_path / "h.csv", grid_text(hours([400, 350, 121])))
    assert opened(plain).sha256 == opened(packed).sha256 != opened(other).sha256
    assert opened(plain).file_sha256 != opened(packed).file_sha256


@given(
    values=st.lists(st.floats(0, 1000), min_size=2, max_size=30),
    split=st.sampled_from([1, 2, 3, 4, 12, 60]),
    after_end=st.sampled_from(["wrap", "hold"]),
)
def test_finer_bins_change_no_integral(values: list[float], split: int, after_end: Any) -> None:
    series = Series(NEW_YEAR_MS, MS_PER_H, np.array(values), after_end)
    whole = NEW_YEAR_MS + MS_PER_H * np.arange(2 * len(values))
    fine = NEW_YEAR_MS + MS_PER_H // split * np.arange(2 * len(values) * split)
    assert series.at(fine).sum() / split == pytest.approx(series.at(whole).sum(), rel=1e-12)


@given(st.integers(-(10**13), 10**13))
def test_a_profile_agrees_with_the_calendar(when_ms: int) -> None:
    profile = MonthHourProfile(np.arange(288.0).reshape(12, 24))
    when = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=when_ms)
    expected = (when.month - 1) * 24 + when.hour
    assert profile.at(np.array([when_ms]))[0] == expected
