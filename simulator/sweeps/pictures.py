"""Pictures of a sweep, straight from its table of runs."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from simulator.analysis.statistics import by_point
from simulator.errors import InputError
from simulator.sweeps.partial import replaced

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulator.sweeps.study import Study

FIGURES: Final = "figures"
DRAWN: Final = ("total_kgco2e", "wait_p99_h")
"""Quantities that are drawn without being asked for."""
CARBON: Final = ("kgco2e", "gco2e_per_gpu_hour")
"""How keys of carbon end."""
BASIS: Final = "basis_average"
MOST_POINTS: Final = 2000
"""Points of which a picture still says something."""


def save_figures(study: "Study", folder: Path) -> None:
    """Draw total carbon and p99 wait as PNG and SVG into the folder of a sweep, if they can be.

    Where sites have supply, also how carbon-free it makes them for what it embodies.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    if len(study.plan.points) > MOST_POINTS:
        return
    from simulator.figures.carbon_free import SCORE, draw_carbon_free
    from simulator.figures.style import render

    drawings = {quantity: partial(draw_study, study, quantity) for quantity in DRAWN}
    if study.runs[SCORE].notna().any():
        drawings["carbon_free"] = partial(draw_carbon_free, study.points, study.axes)
    for name, draw in drawings.items():
        try:
            figure = draw()
        except InputError:  # absent, or too much for one picture
            continue
        (folder / FIGURES).mkdir(exist_ok=True)
        for kind in ("png", "svg"):
            content = render(figure, kind)
            replaced(folder / FIGURES / f"{name}.{kind}", partial(_write, content))


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def draw_study(study: "Study", quantity: str, *, title: str | None = None) -> "Figure":
    """Draw a quantity of a sweep as its design asks for.

    Over its axes; for crossings, how much of its variance each axis explains; one axis at a time,
    as a tornado.

    Parameters
    ----------
    study : Study
    quantity : str
        Key of the summary.
    title : str, optional
        Replaces the takeaway.

    Raises
    ------
    InputError
        If the quantity is unknown or absent, or there is too much to draw.
    """
    from simulator.figures.indices import draw_indices
    from simulator.figures.tornado import draw_tornado

    if study.plan.design == "saltelli":
        found = study.indices([quantity])
        return draw_indices(
            found.of(quantity),
            quantity,
            confidence=found.confidence,
            samples=found.samples,
            title=title,
        )
    if study.plan.design == "one-at-a-time":
        return draw_tornado(study.tornado(quantity), quantity, title=title)
    return draw_runs(study.runs, study.axes, quantity, title=title)


def draw_runs(
    runs: pd.DataFrame, axes: Sequence[str], quantity: str, *, title: str | None = None
) -> "Figure":
    """Draw the mean of a quantity at every point of a sweep over its axes.

    Parameters
    ----------
    runs : DataFrame
        The results of a sweep, one row for each run.
    axes : sequence of str
        Dotted paths of the axes.
    quantity : str
        Key of the summary.
    title : str, optional
        Replaces the takeaway.

    Raises
    ------
    InputError
        If the quantity is unknown or absent at every point, or there is too much to draw.
    """
    from simulator.figures.sweep import draw_sweep

    paired = runs.groupby("point")["seed"].agg(frozenset).nunique() == 1
    points = by_point(runs, axes, quantity)
    bases = _bases(runs) if quantity.endswith(CARBON) else ()
    return draw_sweep(points, axes, quantity, title=title, paired=paired, bases=bases)


def _bases(runs: pd.DataFrame) -> list[str]:
    """Return what the carbon of the runs stands on, each once."""
    if BASIS not in runs:
        return []
    return list(dict.fromkeys(runs[BASIS].dropna().astype(str)))
