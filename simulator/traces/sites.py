"""The traces of every site of a scenario: its grids and its weather, and where their edges lie."""

from collections.abc import Sequence

from simulator.errors import Issue
from simulator.scenario.model import Scenario
from simulator.traces.grid import GridTrace, open_grid
from simulator.traces.opened import Opened
from simulator.traces.opening import Opening
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
    opens = Opening(scenario, issues, opened)
    return tuple(
        opens(open_weather, site.weather, f"sites.{name}.weather")
        if site.weather is not None and site.needs_weather
        else None
        for name, site in scenario.sites.items()
    )


def open_grids(
    scenario: Scenario, issues: list[Issue], opened: Opened | None = None
) -> tuple[list[GridTrace], list[GridTrace | None]]:
    """Open the grids of every site; a trace that is refused adds to `issues` instead."""
    opens = Opening(scenario, issues, opened)
    average: list[GridTrace] = []
    marginal: list[GridTrace | None] = []
    for name, site in scenario.sites.items():
        grid = site.grid
        how = {"after_end": grid.after_end, "gaps": grid.gaps}
        for basis, source in (("average", grid.average), ("marginal", grid.marginal)):
            path = f"sites.{name}.grid.{basis}"
            trace = None if source is None else opens(open_grid, source, path, **how)
            if basis == "marginal":
                marginal.append(trace)
            elif trace is not None:
                average.append(trace)
    return average, marginal
