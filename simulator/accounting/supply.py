"""What a site draws from its grid, where it has supply of its own, and what jobs are billed for it.

Carbon follows what is drawn: a kilowatt-hour of facility energy in a period causes intensity x grid
draw / facility energy of the site, an effective signal, by which jobs are billed as by any other.
What is drawn in a period without load, to charge a storage, belongs to no job: it is split over the
clusters of the site by the power of their machines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.accounting.facility import by_size
from simulator.accounting.metering import Metered
from simulator.fleet import Fleet
from simulator.supply.balance import Balance, balance_of
from simulator.supply.sources import Periods, Source, Sources
from simulator.tables import table_of

LEAST_BEARING: Final = 1e-12
"""Share of what a period draws from the grid below which its load is rounding, and bears none."""

SUMMED: Final = (
    "solar_kwh",
    "wind_kwh",
    "grid_kwh",
    "curtailed_kwh",
    "charged_kwh",
    "discharged_kwh",
    "stored_change_kwh",
    "storage_losses_kwh",
    "contracted_kwh",
    "covered_kwh",
    "cfe_score_hourly",
    "cfe_score_annual",
    "scope3_supply_kgco2e",
)
"""Keys of the summary that are null without supply."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """What supply makes of the load of each site.

    Attributes
    ----------
    periods : Periods
    balances : tuple of Balance or None
        One for each site; None for one without supply.
    drawn_share : float64[sites, bins]
        Grid draw over facility energy of the period; 1 without supply, 0 where there is no load.
    stray_kwh : float64[bins, clusters]
        Grid draw in periods without load.
    """

    periods: Periods
    balances: tuple[Balance | None, ...]
    drawn_share: NDArray[np.float64]
    stray_kwh: NDArray[np.float64]

    @property
    def embodied_kg(self) -> float:
        """Embodied carbon of plants and storage within the counted time. [kgCO2e]."""
        return sum(each.source.embodied_kg for each in self.balances if each is not None)

    def drawn_kwh(
        self, facility_kwh: NDArray[np.float64], site: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return what is drawn from the grid for each cluster, float64[bins, clusters]. [kWh].

        Parameters
        ----------
        facility_kwh : float64[bins, clusters]
        site : int64[clusters]
        """
        drawn: NDArray[np.float64] = facility_kwh * self.drawn_share[site].T + self.stray_kwh
        return drawn

    def effective(self, g_per_kwh: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a signal of what is drawn as one of facility energy, float64[sites, bins]."""
        result: NDArray[np.float64] = g_per_kwh * self.drawn_share
        for site, balance in enumerate(self.balances):
            if balance is None:
                result[site] = g_per_kwh[site]
        return result


def supplied_of(
    sources: Sources | None, fleet: Fleet, metered: Metered, facility_kwh: NDArray[np.float64]
) -> Supplied | None:
    """Return what supply makes of the load of each site; None where no site has any.

    A site without clusters draws nothing, and its supply does not count.

    Parameters
    ----------
    sources : Sources or None
    fleet : Fleet
    metered : Metered
        Its bins divide the periods.
    facility_kwh : float64[bins, clusters]
    """
    if sources is None:
        return None
    periods, grid = sources.periods, metered.grid
    begin_ms = grid.first_epoch_ms + np.arange(len(facility_kwh), dtype=np.int64) * grid.bin_ms
    period = (begin_ms - periods.first_epoch_ms) // periods.step_ms
    first = np.flatnonzero(np.diff(period, prepend=-1))
    part = metered.width_ms / np.maximum(periods.width_ms, 1)[period]
    share = np.ones((len(sources.sites), len(facility_kwh)))
    stray = np.zeros_like(facility_kwh)
    balances: list[Balance | None] = []
    for site, source in enumerate(sources.sites):
        mine = np.flatnonzero(fleet.site == site)
        if source is None or not len(mine):
            balances.append(None)
            continue
        load = np.add.reduceat(facility_kwh[:, mine].sum(axis=1), first)
        balance = balance_of(source, load)
        drawn = balance.grid_kwh
        borne = load > LEAST_BEARING * drawn
        share[site] = np.where(borne, drawn / np.where(borne, load, 1.0), 0.0)[period]
        alone = np.where(borne, 0.0, drawn)[period] * part
        stray[:, mine] = alone[:, None] * by_size(fleet, mine)
        balances.append(balance)
    if all(balance is None for balance in balances):
        return None
    return Supplied(periods, tuple(balances), share, stray)


def grid_draw_kwh(
    supplied: Supplied | None, fleet: Fleet, facility_kwh: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what clusters draw from the grid, float64[bins, clusters]. [kWh]"""
    return facility_kwh if supplied is None else supplied.drawn_kwh(facility_kwh, fleet.site)


def supply_summary(
    supplied: Supplied | None,
    fleet: Fleet,
    facility_kwh: NDArray[np.float64],
    operational_kg: NDArray[np.float64],
) -> dict[str, float | None]:
    """Return what supply came to in the fleet, and its market-based carbon; null without it.

    Sites without supply draw all their energy from the grid, and count so.
    """
    if supplied is None:
        return {"scope2_market_kgco2e": None, **dict.fromkeys(SUMMED)}
    known = [each for each in supplied.balances if each is not None]
    load = float(facility_kwh.sum())
    plain = np.array([supplied.balances[site] is None for site in fleet.site])
    sums = {
        name: sum(float(getattr(each, name).sum()) for each in known)
        for name in ("curtailed_kwh", "charged_kwh", "discharged_kwh", "stored_change_kwh")
    }
    sums["storage_losses_kwh"] = sum(float(each.losses_kwh.sum()) for each in known)
    bought = {name: _bought(known, name) for name in ("contracted_kwh", "covered_kwh")}
    made = {f"{plant}_kwh": _made(known, plant) for plant in ("solar", "wind")}
    given = sum(made[name] or 0.0 for name in made) - sums["curtailed_kwh"]
    given += sum(_volume(each.source) for each in known)
    market = [
        float(operational_kg[:, fleet.site == site].sum())
        if each is None or np.isnan(each.market_kg)
        else each.market_kg
        for site, each in enumerate(supplied.balances)
    ]
    stored = any(each.source.has_store for each in known)
    some = any(each.source.has_plants or each.source.has_contracts for each in known)
    return {
        "scope2_market_kgco2e": sum(market) if some else None,
        **made,
        "grid_kwh": sum(float(each.grid_kwh.sum()) for each in known)
        + float(facility_kwh[:, plain].sum()),
        "curtailed_kwh": sums.pop("curtailed_kwh"),
        **{name: kwh if stored else None for name, kwh in sums.items()},
        **bought,
        "cfe_score_hourly": sum(float(each.cfe_kwh.sum()) for each in known) / load
        if load
        else None,
        "cfe_score_annual": min(given / load, 1.0) if load else None,
        "scope3_supply_kgco2e": supplied.embodied_kg,
    }


def _made(known: Sequence[Balance], plant: str) -> float | None:
    """Return what plants of a kind could give, None where there is none. [kWh]."""
    found = [getattr(each.source, f"{plant}_kwh") for each in known]
    sums = [float(kwh.sum()) for kwh in found if kwh is not None]
    return sum(sums) if sums else None


def _bought(known: Sequence[Balance], name: str) -> float | None:
    sums = [
        float(getattr(each, name).sum()) for each in known if each.source.hourly_kwh is not None
    ]
    return sum(sums) if sums else None


def _volume(source: Source) -> float:
    """Return what contracts deliver in all, however they are matched. [kWh]."""
    both = (source.hourly_kwh, source.annual_kwh)
    return sum(float(kwh.sum()) for kwh in both if kwh is not None)


def over_contracted(supplied: Supplied | None, fleet: Fleet) -> tuple[str, ...]:
    """Return a warning for each site whose contracts deliver more than it draws."""
    texts = []
    for name, each in zip(fleet.site_names, supplied.balances if supplied else (), strict=False):
        if each is None or not each.source.has_contracts:
            continue
        volume, drawn = _volume(each.source), float(each.grid_kwh.sum())
        unused = float((each.contracted_kwh - each.covered_kwh).sum())
        if volume > drawn * (1.0 + LEAST_BEARING):
            texts.append(
                f"sites.{name}.supply.contracts: they deliver {volume:,.0f} kWh, which is "
                f"{volume - drawn:,.0f} kWh more than the site draws from its grid; of what is "
                f"matched by the hour {unused:,.0f} kWh find no load"
            )
    return tuple(texts)


def supply_tables(
    fleet: Fleet, supplied: Supplied | None, interval_ms: int
) -> dict[str, Callable[[], pa.Table]]:
    """Return what makes the table of supply; nothing where no site has any."""
    if supplied is None:
        return {}
    return {"supply": lambda: supply_table(fleet, supplied, interval_ms)}


def supply_table(fleet: Fleet, supplied: Supplied, interval_ms: int) -> pa.Table:
    """Return one row per reporting interval and site with supply.

    Where an interval is no multiple of the periods, one per period.
    """
    periods = supplied.periods
    known = [(site, each) for site, each in enumerate(supplied.balances) if each is not None]
    step_ms = periods.step_ms if interval_ms % periods.step_ms else interval_ms
    used = slice(int(np.argmax(periods.width_ms > 0)), None)
    interval = periods.epoch_ms[used] // step_ms
    first = np.flatnonzero(np.diff(interval, prepend=interval[:1] - 1))
    last = np.append(first[1:], len(interval)) - 1

    def sums(rows: list[NDArray[np.float64]]) -> NDArray[Any]:
        return np.stack([np.add.reduceat(row[used], first) for row in rows], axis=1).ravel()

    def plant(name: str) -> NDArray[Any]:
        absent = np.full(len(periods.width_ms), np.nan)
        found = [getattr(each.source, name) for _, each in known]
        return sums([absent if kwh is None else kwh for kwh in found])

    flows = ("load", "charged", "discharged", "curtailed", "grid", "losses", "contracted")
    stored = [each.stored_kwh[used][last] for _, each in known]
    timed = [each.source.average_g_per_kwh * each.source.hours for _, each in known]
    names = np.tile([site for site, _ in known], len(first)).astype(np.int16)
    begin_ms = np.maximum(interval[first] * step_ms, periods.counted_from_ms)
    return table_of(
        "supply",
        {
            "time": np.repeat(begin_ms, len(known)),
            "site": pa.DictionaryArray.from_arrays(
                pa.array(names), pa.array(fleet.site_names, pa.string())
            ),
            "solar_kwh": plant("solar_kwh"),
            "wind_kwh": plant("wind_kwh"),
            **{
                f"{name}_kwh": sums([getattr(each, f"{name}_kwh") for _, each in known])
                for name in (*flows, "covered", "cfe")
            },
            "stored_kwh": np.stack(stored, axis=1).ravel(),
            "intensity_average_g_per_kwh": sums(timed)
            / sums([each.source.hours for _, each in known]),
        },
    )
