"""Forecasts of intensities: what policies may know, and how wrong the noisy one is."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.scenario.grid import Forecast
from simulator.traces.grid import GridTrace
from simulator.traces.outlook import Outlook
from simulator.traces.series import Constant, Series
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN

START_MS = 1_640_995_200_000
DAY = np.arange(24, dtype=np.float64)


def trace_of(course: Any, basis: Any = "average", path: str = "sites.s.grid.average") -> GridTrace:
    return GridTrace(
        label="t",
        basis=basis,
        factor="",
        mix="",
        note="",
        file=None,
        sha256="",
        file_sha256=None,
        warnings=(),
        path=path,
        course=course,
    )


def hourly(values: Any, after_end: Any = "error", first_ms: int = START_MS) -> Series:
    return Series(first_ms, MS_PER_H, np.asarray(values, np.float64), after_end)


def outlook_of(course: Any, method: str = "perfect", **keys: Any) -> Outlook:
    said = {"start_epoch_ms": START_MS, "end_ms": 3 * MS_PER_D, "seed": 7}
    error = keys.pop("error", None)
    basis = keys.pop("basis", "average")
    forecast = Forecast.model_construct(method=method, error=error)
    return Outlook(trace_of(course, basis), forecast, **{**said, **keys})


def hours(*values: float) -> Any:
    return (np.array(values) * MS_PER_H).astype(np.int64)


def test_a_perfect_forecast_is_what_comes() -> None:
    outlook = outlook_of(hourly([*DAY, *(100 + DAY)]))
    assert outlook.ahead(5 * MS_PER_H, hours(0, 0.5, 1, 20)).tolist() == [5.0, 5.0, 6.0, 101.0]
    assert np.isnan(outlook.ahead(0, hours(48))).all()


def test_persistence_expects_what_is() -> None:
    outlook = outlook_of(hourly([*DAY, *(100 + DAY)]), "persistence")
    assert outlook.ahead(5 * MS_PER_H, hours(0, 1, 20, 400)).tolist() == [5.0] * 4


def test_the_previous_day_is_the_last_that_is_known_of_each_hour() -> None:
    outlook = outlook_of(hourly([*DAY, *(100 + DAY), *(200 + DAY)]), "previous-day")
    at = 26 * MS_PER_H  # the third hour of the second day
    assert outlook.ahead(at, hours(0, 1, 21, 22, 24)).tolist() == [102.0, 3.0, 23.0, 100.0, 102.0]
    two_days_on = outlook.ahead(at, hours(25, 48, 49))
    assert two_days_on.tolist() == [3.0, 102.0, 3.0]


def test_a_first_day_without_a_day_before_persists() -> None:
    outlook = outlook_of(hourly([*DAY, *(100 + DAY)]), "previous-day")
    assert outlook.ahead(5 * MS_PER_H, hours(1, 18, 19)).tolist() == [5.0, 5.0, 0.0]
    earlier = hourly([*DAY, *(100 + DAY)], first_ms=START_MS - MS_PER_D)
    known = outlook_of(earlier, "previous-day")
    assert known.ahead(5 * MS_PER_H, hours(0, 1, 18)).tolist() == [105.0, 6.0, 23.0]


def test_the_present_is_known_by_every_method() -> None:
    for method in ("perfect", "persistence", "previous-day", "noisy"):
        outlook = outlook_of(hourly(DAY), method, error=0.3 if method == "noisy" else None)
        assert outlook.ahead(7 * MS_PER_H + 1, hours(0)).tolist() == [7.0]


LEADS_H = (1, 6, 24, 96)
SEEDS, ERROR, MEAN_G = 4000, 0.1, 400.0


@pytest.fixture(scope="module")
def errors_by_lead() -> NDArray[np.float64]:
    """Return the errors of as many seeds at each lead, asked for at once."""
    noisy = (
        outlook_of(Constant(MEAN_G), "noisy", error=ERROR, seed=seed, basis="marginal")
        for seed in range(SEEDS)
    )
    return np.array([each.ahead(0, hours(*LEADS_H)) for each in noisy]) - MEAN_G


@pytest.mark.parametrize("lead_h", LEADS_H)
def test_the_error_has_the_stated_deviation_and_grows_with_the_root_of_the_lead(
    lead_h: int, errors_by_lead: NDArray[np.float64]
) -> None:
    errors = errors_by_lead[:, LEADS_H.index(lead_h)]
    stated = ERROR * MEAN_G * math.sqrt(lead_h / 24)
    assert abs(errors.mean()) < 4 * stated / math.sqrt(SEEDS)
    assert abs(errors.std() / stated - 1) < 4 / math.sqrt(2 * SEEDS)
    within = np.mean(np.abs(errors) < stated)  # of a normal law 68.27 %
    assert abs(within - 0.6827) < 4 * math.sqrt(0.6827 * 0.3173 / SEEDS)


def test_errors_over_one_long_run_have_the_stated_deviation_too() -> None:
    days = 20_000
    outlook = outlook_of(
        Constant(100.0), "noisy", error=0.2, basis="marginal", end_ms=days * MS_PER_D
    )
    errors = np.array([outlook.ahead(d * MS_PER_D, hours(24))[0] - 100.0 for d in range(days)])
    assert abs(errors.std() / 20.0 - 1) < 4 / math.sqrt(2 * days)
    # What one day's forecast got wrong says nothing of the next day's.
    assert abs(np.corrcoef(errors[:-1], errors[1:])[0, 1]) < 4 / math.sqrt(days)


def test_forecasts_of_one_instant_share_the_errors_still_to_come() -> None:
    outlook = outlook_of(Constant(100.0), "noisy", error=0.1)
    early = outlook.ahead(0, hours(10, 20)) - 100.0
    late = outlook.ahead(10 * MS_PER_H, hours(10)) - 100.0
    assert early[1] == pytest.approx(early[0] + late[0], rel=1e-12)


def test_the_same_seed_gives_the_same_errors_whoever_asks_and_when() -> None:
    asked = outlook_of(hourly(np.full(72, 300.0)), "noisy", error=0.1)
    far_first = asked.ahead(0, hours(*range(72)))
    again = outlook_of(hourly(np.full(72, 300.0)), "noisy", error=0.1)
    one_by_one = [again.ahead(0, hours(h))[0] for h in range(72)]
    assert far_first.tolist() == one_by_one
    other = outlook_of(hourly(np.full(72, 300.0)), "noisy", error=0.1, seed=8)
    assert not np.array_equal(other.ahead(0, hours(*range(1, 72))), far_first[1:])


def test_average_and_marginal_of_a_site_err_apart() -> None:
    forecast = Forecast.model_construct(method="noisy", error=0.1)
    found = [
        Outlook(
            trace_of(Constant(100.0), basis, f"sites.s.grid.{basis}"),
            forecast,
            start_epoch_ms=START_MS,
            end_ms=MS_PER_D,
            seed=7,
        ).ahead(0, hours(1, 2, 3))
        for basis in ("average", "marginal")
    ]
    assert not np.array_equal(*found)


def test_an_average_is_never_expected_below_zero_and_a_marginal_one_may_be() -> None:
    leads = hours(*range(200))
    average, marginal = (
        outlook_of(Constant(10.0), "noisy", error=3.0, basis=basis).ahead(0, leads)
        for basis in ("average", "marginal")
    )
    assert marginal.min() < 0.0
    assert average.min() == 0.0
    assert np.array_equal(np.maximum(marginal, 0.0), average)


def test_a_finer_trace_errs_by_its_own_steps() -> None:
    values = np.full(4 * 24, 100.0)
    course = Series(START_MS, 15 * MS_PER_MIN, values, "wrap")
    outlook = outlook_of(course, "noisy", error=0.1)
    quarter = outlook.ahead(0, np.array([0, 14 * MS_PER_MIN, 15 * MS_PER_MIN]))
    assert quarter[0] == quarter[1] == 100.0 != quarter[2]
