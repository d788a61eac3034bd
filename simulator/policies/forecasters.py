"""Forecasts of a demand that is sampled at equal distances."""

from collections import deque


class SeasonalNaive:
    """The next value is what it was one season ago.

    y'(t+1) = y(t+1-m) for a season of m samples. It has no forecast before one season is over.

    Parameters
    ----------
    season : int
        Samples of one season.
    """

    def __init__(self, season: int) -> None:
        self._past: deque[float] = deque(maxlen=season)

    def learn(self, gpus: float) -> None:
        """Take the next sample."""
        self._past.append(gpus)

    def next_gpus(self) -> float | None:
        """Return the forecast of the next sample."""
        return self._past[0] if len(self._past) == self._past.maxlen else None


class ExponentialSmoothing:
    """A smoothed level and a smoothed season: Holt-Winters, additive, without trend.

    With e = y(t) - y'(t): l(t) = l(t-1) + alpha e and s(t) = s(t-m) + gamma (1 - alpha) e;
    the forecast is y'(t+1) = l(t) + s(t+1-m). The first sample is the first level, seasons begin
    at 0. (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, chapter 8.)

    Parameters
    ----------
    season : int
        Samples of one season.
    alpha, gamma : float
        Weights of the newest sample in level and season, 0 to 1.
    """

    def __init__(self, season: int, alpha: float, gamma: float) -> None:
        self._alpha = alpha
        self._gamma = gamma
        self._level_gpus: float | None = None
        self._season_gpus = [0.0] * season
        self._place = 0

    def learn(self, gpus: float) -> None:
        """Take the next sample."""
        if self._level_gpus is None:
            self._level_gpus = gpus
        else:
            error_gpus = gpus - self._level_gpus - self._season_gpus[self._place]
            self._level_gpus += self._alpha * error_gpus
            self._season_gpus[self._place] += self._gamma * (1 - self._alpha) * error_gpus
        self._place = (self._place + 1) % len(self._season_gpus)

    def next_gpus(self) -> float | None:
        """Return the forecast of the next sample."""
        if self._level_gpus is None:
            return None
        return self._level_gpus + self._season_gpus[self._place]


class Trend:
    """A smoothed level and a smoothed growth per sample: Holt's linear method.

    l(t) = alpha y + (1 - alpha)(l(t-1) + b(t-1)), b(t) = beta (l(t) - l(t-1)) + (1 - beta) b(t-1);
    the forecast h samples ahead is l + h b. The first sample is the first level, growth begins
    at 0. (Holt 1957; Hyndman and Athanasopoulos, chapter 8.)

    Parameters
    ----------
    alpha, beta : float
        Weights of the newest sample in level and growth, 0 to 1.
    """

    def __init__(self, alpha: float, beta: float) -> None:
        self._alpha = alpha
        self._beta = beta
        self._level_gpus: float | None = None
        self._growth_gpus = 0.0

    def learn(self, gpus: float) -> None:
        """Take the next sample."""
        if self._level_gpus is None:
            self._level_gpus = gpus
            return
        before_gpus = self._level_gpus
        expected_gpus = before_gpus + self._growth_gpus
        self._level_gpus = self._alpha * gpus + (1 - self._alpha) * expected_gpus
        risen_gpus = self._level_gpus - before_gpus
        self._growth_gpus = self._beta * risen_gpus + (1 - self._beta) * self._growth_gpus

    def ahead_gpus(self, samples_ahead: float) -> float:
        """Return the forecast so many samples ahead, at least 0."""
        level_gpus = self._level_gpus if self._level_gpus is not None else 0.0
        return max(0.0, level_gpus + samples_ahead * self._growth_gpus)


class ForecastErrors:
    """The errors of forecasts, added up as they become known."""

    def __init__(self) -> None:
        self.count = 0
        self._absolute_gpus = 0.0
        self._signed_gpus = 0.0
        self._relative = 0.0
        self._relative_count = 0

    def add(self, forecast_gpus: float, actual_gpus: float) -> None:
        """Take one forecast and what came."""
        error_gpus = forecast_gpus - actual_gpus
        self.count += 1
        self._absolute_gpus += abs(error_gpus)
        self._signed_gpus += error_gpus
        if actual_gpus > 0:
            self._relative += abs(error_gpus) / actual_gpus
            self._relative_count += 1

    @property
    def mae_gpus(self) -> float:
        """Mean absolute error."""
        return self._absolute_gpus / self.count

    @property
    def bias_gpus(self) -> float:
        """Mean of forecast less actual: above 0 where too much was expected."""
        return self._signed_gpus / self.count

    @property
    def mape(self) -> float | None:
        """Mean absolute error relative to the actual value, over samples where that is not 0."""
        return self._relative / self._relative_count if self._relative_count else None
