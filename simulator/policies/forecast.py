"""forecast: nodes awake by a forecast of the cluster's own demand."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from simulator.policies.forecasters import ExponentialSmoothing, ForecastErrors, SeasonalNaive
from simulator.policies.sizing import Nodes, Period, Share, does_not_divide, whole_nodes
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.registry import provisioning
from simulator.scenario.fields import Number
from simulator.units import MS_PER_D, MS_PER_H, format_quantity


def _whole_seasons(*, every_ms: int, season_ms: int, **_: Any) -> Iterator[tuple[str, str]]:
    if does_not_divide(every_ms, season_ms):
        every, season = format_quantity(every_ms, "time"), format_quantity(season_ms, "time")
        yield "season", f"season ({season}) must be a whole number of times every ({every})"


@provisioning("forecast", rules=_whole_seasons)
def forecast(
    env: Clock,
    cluster: ClusterView,
    *,
    method: Literal["seasonal-naive", "exponential-smoothing"] = "seasonal-naive",
    margin: Annotated[float, Number(low=0.0, high=100.0, meaning="a share")] = 0.1,
    season_ms: Period = 7 * MS_PER_D,
    every_ms: Period = MS_PER_H,
    alpha: Share = 0.2,
    gamma: Share = 0.3,
    least: Nodes = 0,
) -> Commands:
    """Keep the nodes awake that a forecast of the demand calls for, and a margin.

    Demand is the accelerators held and queued, sampled every `every`. Awake until the next
    sample are ceil(forecast x (1 + margin) / accelerators of a node) nodes, at least `least`.
    `seasonal-naive` expects what was one season ago, and the last sample before a season is over;
    `exponential-smoothing` is Holt-Winters with level and season (see `forecasters`). The errors
    of the one-step forecasts are noted: `forecast_mae` and `forecast_bias` in GPUs (above 0 where
    too much was expected), `forecast_mape` as a share of the demand, `forecast_count`.

    Parameters
    ----------
    method : str
        How the next sample is forecast.
    margin : float
        What is kept beyond the forecast, relative to it.
    season_ms : int
        Length of the pattern that repeats; a whole number of times `every`.
    every_ms : int
        Time between two samples.
    alpha : float
        Weight of the newest sample in the level, of exponential smoothing.
    gamma : float
        Weight of the newest sample in the season, of exponential smoothing.
    least : int
        Nodes always kept awake.
    """
    season = season_ms // every_ms
    forecaster: SeasonalNaive | ExponentialSmoothing = SeasonalNaive(season)
    if method == "exponential-smoothing":
        forecaster = ExponentialSmoothing(season, alpha, gamma)
    errors, kept = ForecastErrors(), 0
    while True:
        demand_gpus = cluster.demand_gpus
        foreseen_gpus = forecaster.next_gpus()
        if foreseen_gpus is not None:
            errors.add(foreseen_gpus, demand_gpus)
            _note(cluster, errors)
        forecaster.learn(demand_gpus)
        expected_gpus = forecaster.next_gpus()
        if expected_gpus is None:
            expected_gpus = demand_gpus
        nodes = max(least, whole_nodes(expected_gpus * (1 + margin) / cluster.accelerators))
        nodes = min(nodes, cluster.node_count)
        if nodes != kept:
            cluster.keep_awake(nodes)
            kept = nodes
        yield env.timeout(every_ms)


def _note(cluster: ClusterView, errors: ForecastErrors) -> None:
    cluster.note("forecast_count", errors.count, "1")
    cluster.note("forecast_mae", errors.mae_gpus, "GPUs")
    cluster.note("forecast_bias", errors.bias_gpus, "GPUs")
    if errors.mape is not None:
        cluster.note("forecast_mape", errors.mape, "1")
