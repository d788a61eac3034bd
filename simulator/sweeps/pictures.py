"""Pictures of a sweep, straight from its table of runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from simulator.sweeps.statistics import by_point

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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

    return draw_sweep(by_point(runs, axes, quantity), axes, quantity, title=title)
