"""What the sites of a run have beside their grids: powers, stores, intensities, by periods.

A period is an hour of the calendar, or less where a trace of a site with supply has finer steps. It
doesn't depend on the reporting interval, so that no total does.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import arbitrage, supply
from simulator.scenario.grid import Forecast
from simulator.scenario.model import Scenario
from simulator.scenario.sites import Site
from simulator.scenario.storage import Arbitrage, Battery, Greedy, PeakShaving, Threshold
from simulator.supply.traces import SupplyTraces
from simulator.traces.grid import GridTrace
from simulator.traces.outlook import Outlook
from simulator.traces.trace import Trace
from simulator.units import J_PER_KWH, MS_PER_D, MS_PER_H, W_PER_KW

METHODS: Final = ("perfect", "persistence", "previous-day", "noisy")
"""Methods of forecasting in the order of the kernel's codes."""


@dataclass(frozen=True, slots=True)
class Periods:
    """The periods in which supply is set against load.

    Attributes
    ----------
    first_epoch_ms, step_ms, start_epoch_ms, counted_from_ms : int
        Start of the first period and length of each; start of the run, and of what counts, since
        the Unix epoch. [ms]
    width_ms : int64[periods]
        How much of each is counted. [ms]
    """

    first_epoch_ms: int
    step_ms: int
    start_epoch_ms: int
    counted_from_ms: int
    width_ms: NDArray[np.int64]

    @property
    def epoch_ms(self) -> NDArray[np.int64]:
        """Start of each period, since the Unix epoch, int64[periods]. [ms]."""
        return self.first_epoch_ms + np.arange(len(self.width_ms), dtype=np.int64) * self.step_ms

    def of(self, trace: Trace) -> NDArray[np.float64]:
        """Return the value of a trace in each period, float64[periods]."""
        return trace.on_bins(self.first_epoch_ms, self.step_ms, len(self.width_ms))


def period_ms(traces: Iterable[SupplyTraces | None], grids: Iterable[GridTrace | None]) -> int:
    """Return the length of a period: that divides the hour and every step of the traces. [ms]."""
    known = [trace for each in traces if each is not None for trace in each]
    known += [trace for trace in grids if trace is not None]
    return math.gcd(MS_PER_H, *(trace.grain_ms for trace in known))


@dataclass(frozen=True, slots=True)
class Source:
    """What one site has beside its grid.

    Attributes
    ----------
    hours : float64[periods]
        How much of each period is counted. [h]
    epoch_ms : int64[periods]
        Start of each period. [ms since 1970-01-01T00:00Z]
    solar_kwh, wind_kwh : float64[periods] or None
        What plants can give; None where there is no such plant.
    hourly_kwh, annual_kwh : float64[periods] or None
        What contracts deliver, by how they are matched; None where there is none.
    average_g_per_kwh, residual_g_per_kwh : float64[periods]
        Intensity of the grid, and of what no contract covers.
    store : simulator.kernels.supply.Store
    outlook : simulator.kernels.arbitrage.Outlook
    embodied_kg : float
        Embodied carbon of plants and storage within the counted time, straight line.
    has_store : bool
        Whether there is a storage.
    """

    hours: NDArray[np.float64]
    epoch_ms: NDArray[np.int64]
    solar_kwh: NDArray[np.float64] | None
    wind_kwh: NDArray[np.float64] | None
    hourly_kwh: NDArray[np.float64] | None
    annual_kwh: NDArray[np.float64] | None
    average_g_per_kwh: NDArray[np.float64]
    residual_g_per_kwh: NDArray[np.float64]
    store: supply.Store
    outlook: arbitrage.Outlook
    embodied_kg: float
    has_store: bool

    @property
    def has_plants(self) -> bool:
        """Whether anything is generated on the site."""
        return self.solar_kwh is not None or self.wind_kwh is not None

    @property
    def has_contracts(self) -> bool:
        """Whether anything is bought under a contract."""
        return self.hourly_kwh is not None or self.annual_kwh is not None


@dataclass(frozen=True, slots=True)
class Sources:
    """What the sites of a run have beside their grids.

    Attributes
    ----------
    periods : Periods
    sites : tuple of Source or None
        None for a site that has nothing.
    """

    periods: Periods
    sites: tuple[Source | None, ...]


def sources_of(
    scenario: Scenario,
    traces: Sequence[SupplyTraces | None],
    average: Sequence[GridTrace],
    marginal: Sequence[GridTrace | None],
    periods: Periods,
) -> Sources | None:
    """Return what each site has beside its grid; None where no site has anything."""
    if not any(site.supply for site in scenario.sites.values()):
        return None
    rows = zip(scenario.sites.values(), traces, average, marginal, strict=True)
    sites = tuple(
        None
        if site.supply is None or known is None
        else _source(scenario, site, known, grids, periods)
        for site, known, *grids in rows
    )
    return Sources(periods, sites)


def _source(
    scenario: Scenario,
    site: Site,
    traces: SupplyTraces,
    grids: Sequence[GridTrace | None],
    periods: Periods,
) -> Source:
    said = site.supply
    assert said is not None
    average = grids[0]
    assert average is not None
    hours = periods.width_ms / MS_PER_H
    in_each = periods.of(average)

    def given(capacity_w: float, trace: Trace) -> NDArray[np.float64]:
        return capacity_w / W_PER_KW * periods.of(trace) * hours

    def bought(matching: str) -> NDArray[np.float64] | None:
        pairs = zip(said.contracts, traces.contracts, strict=True)
        volumes = [given(each.volume_w, t) for each, t in pairs if each.matching == matching]
        return sum(volumes[1:], volumes[0]) if volumes else None

    solar, wind = (
        None if plant is None or trace is None else given(plant.capacity_w, trace)
        for plant, trace in ((said.solar, traces.solar), (said.wind, traces.wind))
    )
    residual = in_each if traces.residual is None else periods.of(traces.residual)
    return Source(
        hours=hours,
        epoch_ms=periods.epoch_ms,
        solar_kwh=solar,
        wind_kwh=wind,
        hourly_kwh=bought("hourly"),
        annual_kwh=bought("annual"),
        average_g_per_kwh=in_each,
        residual_g_per_kwh=residual,
        store=store_of(said.battery),
        outlook=_outlook(scenario, site, grids, periods),
        embodied_kg=said.embodied_kg(int(periods.width_ms.sum())),
        has_store=said.battery is not None,
    )


def store_of(battery: Battery | None) -> supply.Store:
    """Return a storage as the kernel has it, in kWh, kW and hours; none as one of no capacity."""
    if battery is None:
        return supply.Store(0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, supply.GREEDY, 0.0, 0.0, 0.0)
    capacity_kwh = battery.capacity_j / J_PER_KWH
    least, most = battery.soc
    initial = least if battery.initial is None else battery.initial
    rule, limit_kw, below_g, above_g = supply.GREEDY, 0.0, 0.0, 0.0
    match battery.dispatch:
        case Greedy():
            pass
        case Arbitrage():
            rule = supply.ARBITRAGE
        case PeakShaving(limit_w=limit_w):
            rule, limit_kw = supply.PEAK_SHAVING, limit_w / W_PER_KW
        case Threshold(charge_below_g_per_kwh=below_g, discharge_above_g_per_kwh=above):
            rule, above_g = supply.THRESHOLD, below_g if above is None else above
    return supply.Store(
        least_kwh=least * capacity_kwh,
        most_kwh=most * capacity_kwh,
        charge_kw=battery.most_charge_w / W_PER_KW,
        discharge_kw=battery.most_discharge_w / W_PER_KW,
        charge_efficiency=battery.charge_efficiency,
        discharge_efficiency=battery.discharge_efficiency,
        leak_per_h=battery.self_discharge_per_ms * MS_PER_H,
        initial_kwh=initial * capacity_kwh,
        rule=rule,
        limit_kw=float(limit_kw),
        charge_below_g_per_kwh=float(below_g),
        discharge_above_g_per_kwh=float(above_g),
    )


def _outlook(
    scenario: Scenario, site: Site, grids: Sequence[GridTrace | None], periods: Periods
) -> arbitrage.Outlook:
    """Return what the rule of a site's storage may know of its grid."""
    said = site.supply
    rule = Arbitrage(rule="arbitrage")
    if said is not None and said.battery is not None:
        own = said.battery.dispatch
        rule = own if isinstance(own, Arbitrage) else rule
    trace = grids[1] if rule.signal == "marginal" else grids[0]
    assert trace is not None
    forecast = rule.forecast or site.grid.forecast or Forecast(method="perfect")
    known = periods.of(trace)
    before, drift = np.full_like(known, np.nan), np.zeros_like(known)
    if forecast.method == "previous-day":
        before = trace.course.at(periods.epoch_ms - MS_PER_D)
    elif forecast.method == "noisy":
        since_ms = np.maximum(periods.epoch_ms - periods.start_epoch_ms, 0)
        outlook = Outlook(
            trace,
            forecast,
            start_epoch_ms=periods.start_epoch_ms,
            end_ms=scenario.horizon_ms,
            seed=scenario.seed,
        )
        drift = outlook.drift(since_ms)
    return arbitrage.Outlook(
        g_per_kwh=np.ascontiguousarray(known, np.float64),
        day_before=np.ascontiguousarray(before, np.float64),
        drift=np.ascontiguousarray(drift, np.float64),
        method=METHODS.index(forecast.method),
        window=max(1, min(-(-rule.window_ms // periods.step_ms), len(known))),
        day=max(1, MS_PER_D // periods.step_ms),
    )


def market_basis(traces: Sequence[SupplyTraces | None], sources: Sources | None) -> dict[str, str]:
    """Return what market-based carbon stands on; nothing where there is none."""
    pairs = zip(traces, sources.sites if sources else (), strict=False)
    mixes = [
        "the grid's average, no residual mix given"
        if known.residual is None
        else f"residual mix {known.residual.label}"
        for known, source in pairs
        if known is not None and source is not None
        if source.has_plants or source.has_contracts
    ]
    if not mixes:
        return {}
    rest = "; ".join(dict.fromkeys(mixes))
    return {"market": f"contracts and own generation at 0, the rest at {rest}"}
