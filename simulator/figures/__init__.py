"""One file per figure: each reads results and draws one `matplotlib.figure.Figure`.

A module of this package is a figure if it has ``draw(results) -> Figure``; beside it stand
``describe(results) -> str``, its takeaway in words, ``HEADING`` and ``ORDER``, and where it says
nothing of some runs ``applies(results) -> bool``. `pareto` compares several runs.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulator.results import Results


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure of this package.

    Attributes
    ----------
    name : str
        Name of its module and of its files.
    heading : str
        What it shows.
    describe : callable
        Returns its takeaway in words: its title, and the text for who can't see it.
    draw : callable
    applies : callable
        Whether a report of the run shows it.
    """

    name: str
    heading: str
    describe: Callable[["Results"], str]
    draw: Callable[["Results"], "Figure"]
    applies: Callable[["Results"], bool]

    @property
    def png(self) -> str:
        """Name of its PNG file in the folder of a run."""
        return f"figures/{self.name}.png"

    @property
    def svg(self) -> str:
        """Name of its SVG file in the folder of a run."""
        return f"figures/{self.name}.svg"


def all_figures() -> tuple[Drawing, ...]:
    """Return every figure of this package, in the order of a report."""
    found = []
    for entry in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{entry.name}")
        if hasattr(module, "draw"):
            applies = getattr(module, "applies", _always)
            drawing = Drawing(entry.name, module.HEADING, module.describe, module.draw, applies)
            found.append((module.ORDER, drawing))
    return tuple(drawing for _, drawing in sorted(found, key=lambda pair: pair[0]))


def figures_of(results: "Results") -> tuple[Drawing, ...]:
    """Return the figures that say something of a run, in the order of a report."""
    return tuple(drawing for drawing in all_figures() if drawing.applies(results))


def figure_files(results: "Results") -> dict[str, bytes]:
    """Return the figures of a run as PNG and SVG, by file name, e.g. ``figures/power.svg``."""
    from simulator.figures.style import render

    files = {}
    for drawing in figures_of(results):
        figure = drawing.draw(results)
        files[drawing.png] = render(figure, "png")
        files[drawing.svg] = render(figure, "svg")
    return files


def pareto(
    runs: Mapping[str, Any],
    *,
    x: str = "wait_p99_h",
    y: str = "energy_facility_kwh",
    baseline: str | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw what several runs of one fleet cost in energy or carbon against what they make wait.

    Each run is a point: `x` to the right, and `y` upwards as its difference from the baseline in
    per cent. The frontier joins the runs that no other beats in both; the others are drawn
    hollow. Beside each label stand the wake-ups per node and day.

    Parameters
    ----------
    runs : mapping of str to Run, Results or summary
        By the label of each.
    x, y : str
        Keys of the summary; the less, the better.
    baseline : str, optional
        Label of the run that the others are compared with, by default the first.
    title : str, optional
        Replaces the takeaway.

    Raises
    ------
    InputError
        If there is no such label or key, or a run lacks the quantity.
    """
    from simulator.figures.frontier import draw_pareto

    summaries = {str(label): getattr(run, "summary", run) for label, run in runs.items()}
    return draw_pareto(summaries, x=x, y=y, baseline=baseline, title=title)


def _always(results: "Results") -> bool:
    """Return that a figure says something of every run."""
    del results
    return True


@dataclass(frozen=True, slots=True)
class Plots:
    """The figures of one run, each drawn when it is asked for.

    Parameters
    ----------
    results : Results
    """

    results: "Results"

    def power(self) -> "Figure":
        """Draw IT power by state over time."""
        from simulator.figures.power import draw

        return draw(self.results)

    def hours(self) -> "Figure":
        """Draw energy and carbon by hour of day."""
        from simulator.figures.hours import draw

        return draw(self.results)

    def waits(self) -> "Figure":
        """Draw the distributions of waits and job sizes."""
        from simulator.figures.waits import draw

        return draw(self.results)

    def queue(self) -> "Figure":
        """Draw accelerators allocated and jobs queued over time."""
        from simulator.figures.queue import draw

        return draw(self.results)

    def supply(self) -> "Figure":
        """Draw a week of supply stacked against the load, and what is stored."""
        from simulator.figures.supply import draw

        return draw(self.results)

    def nodes(self) -> "Figure":
        """Draw nodes awake, changing and asleep over time, and how many jobs fill."""
        from simulator.figures.nodes import draw

        return draw(self.results)
