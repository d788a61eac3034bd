"""What policies may know of the intensities to come: a forecast of one grid's signal."""

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.kernels.laws import normal_quantile
from simulator.rng import stream
from simulator.scenario.grid import Forecast
from simulator.traces.grid import GridTrace
from simulator.units import MS_PER_D, MS_PER_H

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_DRAWN: Final = 1024
"""Steps of error that are drawn at a time."""


class Outlook:
    """The forecast of one signal: what is expected of an instant, seen from an earlier one.

    With A the signal, t the present, T the instant asked for:

    - ``perfect``: A(T);
    - ``persistence``: A(t);
    - ``previous-day``: A(T - d), d the fewest whole days for which T - d is not after t; A(t) where
      the trace does not reach back so far;
    - ``noisy``: A(T) + s (W(T) - W(t)), W a random walk of standard normal steps, each as long as
      a step of the trace and at most an hour. With s = error x m sqrt(step / 1 d), m the mean of
      |A| over the run, the standard deviation is error x m a day ahead and grows with the square
      root of the time ahead. Forecasts of one instant approach it step by step and share the
      errors still to come. An average is never expected below 0.

    Seen from an instant, that instant itself is known.

    Parameters
    ----------
    trace : GridTrace
    forecast : Forecast
    start_epoch_ms, end_ms : int
        Start of the run since the Unix epoch, and its end since then. [ms]
    seed : int
        Of the run. The same seed gives the same errors, whoever asks, and when.
    """

    def __init__(
        self,
        trace: GridTrace,
        forecast: Forecast,
        *,
        start_epoch_ms: int,
        end_ms: int,
        seed: int,
    ) -> None:
        self._course = trace.course
        self._may_be_negative = trace.basis == "marginal"
        self._forecast = forecast
        self._start_epoch_ms = start_epoch_ms
        self._step_ms = min(trace.grain_ms or MS_PER_H, MS_PER_H)
        self._uniforms = stream(seed, "forecast", trace.path)
        self._walk = np.zeros(1)
        self._deviation_g = 0.0
        if forecast.error is not None:
            steps = np.arange(0, max(end_ms, 1), self._step_ms, dtype=np.int64)
            mean_g = float(np.nanmean(np.abs(self._course.at(start_epoch_ms + steps))))
            self._deviation_g = forecast.error * mean_g * math.sqrt(self._step_ms / MS_PER_D)

    @property
    def words(self) -> str:
        """The method in words."""
        return self._forecast.words()

    def ahead(self, now_ms: int, leads_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return what is expected at instants so long after now. [g/kWh].

        Parameters
        ----------
        now_ms : int
            Since the run's start. [ms]
        leads_ms : int64[instants]
            Since now, at least 0. [ms]

        Returns
        -------
        float64[instants]
            NaN where nothing is known.
        """
        now = np.full(len(leads_ms), self._start_epoch_ms + now_ms)
        match self._forecast.method:
            case "persistence":
                return self._course.at(now)
            case "previous-day":
                days = -(-leads_ms // MS_PER_D)
                seen = self._course.at(now + leads_ms - days * MS_PER_D)
                return np.where(np.isnan(seen), self._course.at(now), seen)
            case "noisy":
                expected = self._course.at(now + leads_ms) + self._error(now_ms, leads_ms)
                return expected if self._may_be_negative else np.maximum(expected, 0.0)
        return self._course.at(now + leads_ms)

    def drift(self, times_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the walk of errors at times since the start: two of them differ by a forecast's.

        Of one method, ``noisy``; [g/kWh].
        """
        steps = times_ms // self._step_ms
        self._draw(int(steps.max(initial=0)))
        walked: NDArray[np.float64] = self._deviation_g * self._walk[steps]
        return walked

    def _error(self, now_ms: int, leads_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the errors of forecasts: those of all steps still to come, added up. [g/kWh]."""
        here, there = now_ms // self._step_ms, (now_ms + leads_ms) // self._step_ms
        self._draw(int(there.max(initial=0)))
        error: NDArray[np.float64] = self._deviation_g * (self._walk[there] - self._walk[here])
        return error

    def _draw(self, step: int) -> None:
        missing = step + 1 - len(self._walk)
        if missing > 0:
            drawn = self._uniforms.uniforms(max(missing, LEAST_DRAWN))
            steps = np.array([normal_quantile(share) for share in drawn])
            self._walk = np.concatenate([self._walk, self._walk[-1] + np.cumsum(steps)])
