"""The traces of every site of a scenario: its grids and its weather, and where their edges lie."""

from collections.abc import Sequence

from simulator.errors import InputError, Issue
from simulator.scenario.model import Scenario
from simulator.traces.grid import GridTrace, open_grid
from simulator.traces.opened import Opened, opened_by
from simulator.traces.trace import Trace
from simulator.traces.weather import open_weather
from simulator.units import MS_PER_H


def all_traces(
    average: Sequence[GridTrace],
    marginal: Sequence[GridTrace | None],
    weather: Sequence[Trace | None],
) -> tuple[Trace, ...]:
    """Return every trace: grids, those of one site after another, then the weather of each."""
    found = [trace for pair in zip(average, marginal, strict=True) for trace in pair]
    return tuple(trace for trace in (*found, *weather) if trace is not None)


def edges_of(scenario: Scenario, traces: Sequence[Trace]) -> tuple[tuple[str, int], ...]:
    """Return the length of which edges of each trace are multiples, by path. [ms]

    The fixed losses of a building are shared out over the IT energy of the hour, and contracts
    are matched by the hour.
    """
    found = [(trace.path, trace.grain_ms) for trace in traces if trace.grain_ms]
    for name, site in scenario.sites.items():
        found += [(f"sites.{name}.pue", MS_PER_H)] if site.fixed_w else []
        found += [(f"sites.{name}.supply", MS_PER_H)] if site.supply else []
    return tuple(found)


def open_weathers(
    scenario: Scenario, issues: list[Issue], opened: Opened | None = None
) -> tuple[Trace | None, ...]:
    """Open the weather of every site where something depends on it; problems go to `issues`."""
    traces: list[Trace | None] = []
    for name, site in scenario.sites.items():
        trace = None
        try:
            if site.weather is not None and site.needs_weather:
                trace = opened_by(
                    opened,
                    open_weather,
                    site.weather,
                    start=scenario.start,
                    end_ms=scenario.horizon_ms,
                    path=f"sites.{name}.weather",
                )
        except InputError as error:
            issues += error.issues
        traces.append(trace)
    return tuple(traces)


def open_grids(
    scenario: Scenario, issues: list[Issue], opened: Opened | None = None
) -> tuple[list[GridTrace], list[GridTrace | None]]:
    """Open the grids of every site; a trace that is refused adds to `issues` instead."""
    average: list[GridTrace] = []
    marginal: list[GridTrace | None] = []
    for name, site in scenario.sites.items():
        for basis, source in (("average", site.grid.average), ("marginal", site.grid.marginal)):
            trace = None
            try:
                if source is not None:
                    trace = opened_by(
                        opened,
                        open_grid,
                        source,
                        start=scenario.start,
                        end_ms=scenario.horizon_ms,
                        after_end=site.grid.after_end,
                        gaps=site.grid.gaps,
                        path=f"sites.{name}.grid.{basis}",
                    )
            except InputError as error:
                issues += error.issues
            if basis == "marginal":
                marginal.append(trace)
            elif trace is not None:
                average.append(trace)
    return average, marginal
