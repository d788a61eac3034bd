"""Energy and carbon by hour of day."""

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.display import ENERGY, MASS, Ladder, unit_for
from simulator.figures.series import Timeline, column, timeline
from simulator.figures.style import (
    BLUE,
    SKY,
    VERMILION,
    figure_of,
    legend_above,
    say,
    styled,
)
from simulator.units import H_PER_D, MS_PER_H

if TYPE_CHECKING:
    from simulator.results import Results

HEADING: Final = "Energy and carbon by hour of day"
ORDER: Final = 2

EVEN_WITHIN: Final = 0.05
"""Spread over the mean below which a day is called even."""

Profile = NDArray[np.float64]


def describe(results: "Results") -> str:
    """Return the hours in which energy and location-based carbon are highest."""
    time = timeline(results)
    if time is None or not _resolved(results):
        return "Energy and carbon by hour of day are not resolved"
    energy_kwh = _profile(results, time, "energy_facility_kwh")
    covered = int(np.isfinite(energy_kwh).sum())
    if covered < H_PER_D:
        return f"Energy and carbon in the {covered} hours of the day that the run covers"
    energy = _peak("Energy", energy_kwh)
    carbon = _peak("location-based carbon", _profile(results, time, "operational_kgco2e"))
    return f"{energy}; {carbon}"


@styled
def draw(results: "Results") -> Figure:
    """Draw the mean facility energy and carbon of each hour of the day, UTC."""
    figure = figure_of(describe(results), _caption(results))
    left, right = figure.subplots(1, 2)
    time = timeline(results)
    if time is None or not _resolved(results):
        for axes in (left, right):
            say(axes, "The reporting interval is longer than 1 h.")
        return figure
    energy = _profile(results, time, "energy_facility_kwh")
    bars, unit = _bars(left, [energy], ENERGY, (SKY,))
    left.set_ylabel(f"facility energy [{unit} per hour]")
    legend_above(left, bars, ["IT x PUE"])
    profiles = [_profile(results, time, "operational_kgco2e")]
    labels = ["location-based (average)"]
    if results.summary["marginal_kgco2e"] is not None:
        profiles.append(_profile(results, time, "marginal_kgco2e"))
        labels.append("marginal")
    bars, unit = _bars(right, profiles, MASS, (BLUE, VERMILION))
    right.set_ylabel(f"carbon [{unit} CO2e per hour]")
    legend_above(right, bars, labels)
    return figure


def _bars(
    axes: Axes, profiles: list[Profile], ladder: Ladder, colours: tuple[str, ...]
) -> tuple[list[object], str]:
    """Draw the first profile as bars and the others as dots; return handles and the unit."""
    size, unit = unit_for(np.nan_to_num(np.concatenate(profiles)).tolist(), ladder)
    hour = np.arange(H_PER_D)
    handles: list[object] = [axes.bar(hour, profiles[0] / size, width=0.8, color=colours[0])]
    for profile, colour in zip(profiles[1:], colours[1:], strict=False):
        handles += axes.plot(hour, profile / size, "o", color=colour, markersize=4)
    axes.set_xlim(-0.6, H_PER_D - 0.4)
    axes.set_ylim(bottom=0.0)
    axes.set_xticks(range(0, H_PER_D, 3))
    axes.set_xlabel("hour of day, UTC")
    axes.grid(visible=False, axis="x")
    return handles, unit


def _profile(results: "Results", time: Timeline, name: str) -> Profile:
    """Return the mean amount per hour in each hour of the day, NaN where there is none."""
    hour = time.time_ms // MS_PER_H % H_PER_D
    amount = np.bincount(hour, time.total(column(results, name)), minlength=H_PER_D)
    length = np.bincount(hour, time.hours, minlength=H_PER_D)
    mean: Profile = np.full(H_PER_D, np.nan)
    np.divide(amount, length, out=mean, where=length > 0)
    return mean


def _resolved(results: "Results") -> bool:
    return bool(results.scenario.accounting.interval_ms <= MS_PER_H)


def _peak(what: str, profile: Profile) -> str:
    known = profile[np.isfinite(profile)]
    if not known.size or not known.any():
        return f"{what} is zero"
    if float(np.ptp(known)) <= EVEN_WITHIN * float(known.mean()):
        return f"{what} is even over the day"
    return f"{what} is highest at {int(np.nanargmax(profile)):02d} UTC"


def _caption(results: "Results") -> str:
    basis = results.basis
    words = f"Means over the run. Carbon: location-based, {basis.get('average', 'average')}"
    if results.summary["marginal_kgco2e"] is not None:
        words += f"; {basis.get('marginal', 'marginal')}"
    return f"{words}."
