"""Forecasts against closed forms."""

import math

import pytest

from simulator.policies.forecasters import (
    ExponentialSmoothing,
    ForecastErrors,
    SeasonalNaive,
    Trend,
)


def test_seasonal_naive_knows_nothing_before_a_season_is_over() -> None:
    forecaster = SeasonalNaive(3)
    for gpus in (1.0, 2.0):
        forecaster.learn(gpus)
        assert forecaster.next_gpus() is None
    forecaster.learn(3.0)
    assert forecaster.next_gpus() == 1.0
    forecaster.learn(4.0)
    assert forecaster.next_gpus() == 2.0


def test_seasonal_naive_forecasts_a_sinusoid_exactly_after_one_season() -> None:
    wave = [100 + 30 * math.sin(2 * math.pi * (hour % 24) / 24) for hour in range(96)]
    forecaster = SeasonalNaive(24)
    for hour, gpus in enumerate(wave):
        if hour >= 24:
            assert forecaster.next_gpus() == gpus
        forecaster.learn(gpus)


def test_smoothing_forecasts_a_constant_exactly() -> None:
    forecaster = ExponentialSmoothing(24, 0.2, 0.3)
    assert forecaster.next_gpus() is None
    for _ in range(100):
        forecaster.learn(64.0)
        assert forecaster.next_gpus() == 64.0


def test_the_level_nears_a_step_geometrically() -> None:
    """Without seasons the error after n samples of a new level is (1 - alpha)^n of the step."""
    forecaster = ExponentialSmoothing(1, 0.25, 0.0)
    forecaster.learn(0.0)
    for count in range(1, 20):
        forecaster.learn(1.0)
        assert forecaster.next_gpus() == pytest.approx(1 - 0.75**count)


def test_the_season_is_learned_from_season_to_season() -> None:
    """With alpha 0 the level stays, and each season leaves 1 - gamma of the error before."""
    wave = [0.0, -5.0, 4.0, 1.0]
    forecaster = ExponentialSmoothing(4, 0.0, 0.25)
    forecaster.learn(10.0)
    for count in range(1, 41):
        forecast = forecaster.next_gpus()
        assert forecast is not None
        learned = 1 - 0.75 ** (count // 4)
        assert forecast == pytest.approx(10 + wave[count % 4] * learned)
        forecaster.learn(10 + wave[count % 4])


def test_growth_at_a_steady_pace_is_foreseen_once_it_is_known() -> None:
    """With both weights 1 the last two samples are a line."""
    trend = Trend(1.0, 1.0)
    assert trend.ahead_gpus(3) == 0.0
    for gpus in (100.0, 110.0):
        trend.learn(gpus)
    assert trend.ahead_gpus(0) == 110.0
    assert trend.ahead_gpus(2.5) == 135.0
    trend.learn(40.0)
    assert trend.ahead_gpus(5) == 0.0  # never below nothing


def test_smoothed_growth_nears_the_true_one() -> None:
    trend = Trend(0.5, 0.3)
    for week in range(200):
        trend.learn(50.0 + 7.0 * week)
    assert trend.ahead_gpus(10) == pytest.approx(50.0 + 7.0 * 209)


def test_errors_are_means_of_what_was_added() -> None:
    errors = ForecastErrors()
    assert errors.mape is None
    errors.add(3.0, 0.0)
    assert (errors.mae_gpus, errors.bias_gpus, errors.mape) == (3.0, 3.0, None)
    errors.add(6.0, 10.0)
    assert (errors.mae_gpus, errors.bias_gpus, errors.mape) == (3.5, -0.5, 0.4)
    assert errors.count == 2
