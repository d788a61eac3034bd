"""The balance of a site: who covers its load, and what its contracts cover of the rest.

In every period, to rounding,

    solar + wind + grid = load + curtailed + (change of what is stored) + losses.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import arbitrage
from simulator.kernels import supply as kernels
from simulator.supply.sources import Source
from simulator.units import G_PER_KG, MS_PER_H

TOLERANCE: Final = 1e-9
"""Largest imbalance of a run, over what flows in it."""
LEAST_KWH: Final = 1e-9
"""What flows in a run counts as at least so much: less is rounding. [kWh]"""


@dataclass(frozen=True, slots=True)
class Balance:
    """What flowed at one site, float64[periods] unless said. [kWh].

    Attributes
    ----------
    source : Source
    load_kwh : float64[periods]
        Facility energy.
    charged_kwh, discharged_kwh : float64[periods]
        At the terminals of the storage.
    stored_kwh : float64[periods]
        Inside it, at the end of the period.
    curtailed_kwh, grid_kwh, losses_kwh : float64[periods]
        Generation that nobody took, what was drawn from the grid, and what storage lost.
    contracted_kwh, covered_kwh : float64[periods]
        What contracts matched by the hour delivered, and what of that was drawn.
    cfe_kwh : float64[periods]
        Part of the load that was carbon-free in its hour: from the site's generation, at once or
        out of storage, or covered by a contract.
    switched_h : float64[periods]
        How far into the period the storage filled or emptied; NaN where it did neither. [h]
    market_kg : float
        Market-based carbon; NaN where there is neither contract nor generation. [kgCO2e]
    """

    source: Source
    load_kwh: NDArray[np.float64]
    charged_kwh: NDArray[np.float64]
    discharged_kwh: NDArray[np.float64]
    stored_kwh: NDArray[np.float64]
    curtailed_kwh: NDArray[np.float64]
    grid_kwh: NDArray[np.float64]
    losses_kwh: NDArray[np.float64]
    contracted_kwh: NDArray[np.float64]
    covered_kwh: NDArray[np.float64]
    cfe_kwh: NDArray[np.float64]
    switched_h: NDArray[np.float64]
    market_kg: float

    @property
    def generated_kwh(self) -> NDArray[np.float64]:
        """What plants of the site could give, float64[periods]. [kWh]."""
        return _generated(self.source)

    @property
    def stored_change_kwh(self) -> NDArray[np.float64]:
        """Change of what is stored over each period, float64[periods]. [kWh]."""
        return np.diff(self.stored_kwh, prepend=self.source.store.initial_kwh)


def balance_of(source: Source, load_kwh: NDArray[np.float64]) -> Balance:
    """Dispatch the storage of a site and set its contracts against what it draws.

    Parameters
    ----------
    source : Source
    load_kwh : float64[periods]
        Facility energy of the site. [kWh]

    Raises
    ------
    ArithmeticError
        If the balance does not close: a fault of this program, never of the input.
    """
    load_kwh = np.ascontiguousarray(load_kwh, np.float64)
    flows = np.zeros((len(load_kwh), kernels.FLOWS))
    pieces = arbitrage.PIECES_PER_BIN * (source.outlook.window + 1) + 1
    kernels.dispatch(
        kernels.Site(source.hours, load_kwh, _generated(source)),
        source.store,
        source.outlook,
        np.zeros((2, pieces)),
        flows,
    )
    grid = flows[:, kernels.GRID].copy()
    contracted = np.zeros_like(grid) if source.hourly_kwh is None else source.hourly_kwh
    covered = grid * _covered_share(grid, contracted, source.epoch_ms // MS_PER_H)
    balance = Balance(
        source=source,
        load_kwh=load_kwh,
        charged_kwh=flows[:, kernels.CHARGED].copy(),
        discharged_kwh=flows[:, kernels.DISCHARGED].copy(),
        stored_kwh=flows[:, kernels.STORED].copy(),
        curtailed_kwh=flows[:, kernels.CURTAILED].copy(),
        grid_kwh=grid,
        losses_kwh=flows[:, kernels.LOST].copy(),
        contracted_kwh=contracted,
        covered_kwh=covered,
        cfe_kwh=np.minimum(load_kwh, flows[:, kernels.CLEAN] + covered),
        switched_h=flows[:, kernels.SWITCHED_H].copy(),
        market_kg=_market_kg(source, grid - covered),
    )
    check(balance)
    return balance


def check(balance: Balance) -> float:
    """Return the imbalance of all periods over what flows in them.

    Raises
    ------
    ArithmeticError
        If it is above 1e-9.
    """
    into = balance.generated_kwh + balance.grid_kwh
    out = balance.load_kwh + balance.curtailed_kwh + balance.losses_kwh
    scale = into.sum() + balance.stored_kwh.max(initial=balance.source.store.initial_kwh)
    off = float(np.abs(into - out - balance.stored_change_kwh).sum())
    imbalance = off / max(float(scale), LEAST_KWH)
    if not imbalance <= TOLERANCE:
        raise ArithmeticError(f"supply and load of a site disagree by {imbalance:g}")
    return imbalance


def _generated(source: Source) -> NDArray[np.float64]:
    total = np.zeros(len(source.hours))
    for plant in (source.solar_kwh, source.wind_kwh):
        if plant is not None:
            total += plant
    return total


def _covered_share(
    drawn: NDArray[np.float64], bought: NDArray[np.float64], period: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the share of what is drawn that what is bought covers, by periods of it."""
    if not len(period):
        return np.zeros(0)
    first = np.flatnonzero(np.diff(period, prepend=period[:1] - 1))
    drawn_sum, bought_sum = np.add.reduceat(drawn, first), np.add.reduceat(bought, first)
    some = drawn_sum > 0.0
    covered = np.minimum(bought_sum, drawn_sum)
    share = np.where(some, covered / np.where(some, drawn_sum, 1.0), 0.0)
    return share[np.searchsorted(first, np.arange(len(period)), side="right") - 1]


def _market_kg(source: Source, left_kwh: NDArray[np.float64]) -> float:
    """Return the carbon of what no contract covers, by the residual mix. [kgCO2e]."""
    if not (source.has_plants or source.has_contracts):
        return float("nan")
    if source.annual_kwh is not None:
        year = source.epoch_ms.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64)
        left_kwh = left_kwh * (1.0 - _covered_share(left_kwh, source.annual_kwh, year))
    return float(left_kwh @ source.residual_g_per_kwh) / G_PER_KG
