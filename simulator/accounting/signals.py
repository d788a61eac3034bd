"""Grid signals of a run on its bins, and their integrals, by which jobs are billed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.bins import Period
from simulator.traces.grid import GridTrace


@dataclass(frozen=True, slots=True)
class Signals:
    """Grid signals of each site on the bins of a run.

    Attributes
    ----------
    average : float64[sites, bins]
        Average intensity. [g/kWh]
    marginal : float64[sites, bins]
        Marginal intensity; NaN for a site that has none. [g/kWh]
    """

    average: NDArray[np.float64]
    marginal: NDArray[np.float64]


def signals_of(
    average: Sequence[GridTrace], marginal: Sequence[GridTrace | None], period: Period
) -> Signals:
    """Return the traces of each site on the bins of a run, which straddle none of their edges."""
    grid = period.grid
    count = grid.count(period.end_ms)

    def values(trace: GridTrace | None) -> NDArray[np.float64]:
        if trace is None:
            return np.full(count, np.nan)
        return trace.on_bins(grid.first_epoch_ms, grid.bin_ms, count)

    return Signals(
        average=np.stack([values(trace) for trace in average]),
        marginal=np.stack([values(trace) for trace in marginal]),
    )


def means_of(
    average: Sequence[GridTrace],
    marginal: Sequence[GridTrace | None],
    period: Period,
    signals: Signals,
) -> list[tuple[GridTrace, float]]:
    """Return each trace with its mean over the counted time. [g/kWh]"""
    width_ms = period.width_ms
    means = []
    for at, pair in enumerate(zip(average, marginal, strict=True)):
        for trace, values in zip(pair, (signals.average[at], signals.marginal[at]), strict=True):
            if trace is not None:
                means.append((trace, float(values @ width_ms) / float(width_ms.sum())))
    return means


def integrals(
    values: NDArray[np.float64], bin_ms: int, modelled: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the integral of a signal up to each bin, and what rounding took from it.

    Where a site has a model of PUE, an hour of hardly any IT energy bears its fixed losses all
    the same, and its values can be many orders above those of other hours: the integral is then
    kept in two parts, so that the difference of two look-ups loses no digits.

    Parameters
    ----------
    values : float64[sites, bins]
    bin_ms : int
        [ms]
    modelled : bool[sites]
        Whether the signal of a site holds a model of its PUE.

    Returns
    -------
    integral, rest : float64[sites, bins + 1]
        In the unit of the signal x ms.
    """
    steps = values * bin_ms
    integral = np.zeros((values.shape[0], values.shape[1] + 1))
    rest = np.zeros_like(integral)
    np.cumsum(steps, axis=1, out=integral[:, 1:])
    for site in np.flatnonzero(modelled):
        before, after = integral[site, :-1], integral[site, 1:]
        added = after - before
        np.cumsum(before - (after - added) + (steps[site] - added), out=rest[site, 1:])
    return integral, rest
