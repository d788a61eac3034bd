"""One file per figure: each reads results and draws one `matplotlib.figure.Figure`.

A module of this package is a figure if it has ``draw(results) -> Figure``; beside it stand
``describe(results) -> str``, its takeaway in words, ``HEADING`` and ``ORDER``.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

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
    """

    name: str
    heading: str
    describe: Callable[["Results"], str]
    draw: Callable[["Results"], "Figure"]

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
            drawing = Drawing(entry.name, module.HEADING, module.describe, module.draw)
            found.append((module.ORDER, drawing))
    return tuple(drawing for _, drawing in sorted(found, key=lambda pair: pair[0]))


def figure_files(results: "Results") -> dict[str, bytes]:
    """Return every figure as PNG and SVG, by file name, e.g. ``figures/power.svg``."""
    from simulator.figures.style import render

    files = {}
    for drawing in all_figures():
        figure = drawing.draw(results)
        files[drawing.png] = render(figure, "png")
        files[drawing.svg] = render(figure, "svg")
    return files


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
