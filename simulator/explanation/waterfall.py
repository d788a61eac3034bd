"""The picture of a difference: its steps as a waterfall, from summaries of two runs or of means."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.explanation.difference import energies_text, steps_between, takeaway

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_difference(
    base: Mapping[str, Any],
    run: Mapping[str, Any],
    names: tuple[str, str],
    basis: str,
    *,
    runs_text: str = "",
    title: str | None = None,
) -> "Figure":
    """Draw what leads from the total carbon of one side to that of the other.

    Parameters
    ----------
    base, run : mapping
        A summary of each; means over seeds are one too.
    names : tuple of str
        Of base and run.
    basis : str
        What the carbon of both stands on, for the caption.
    runs_text : str
        What the numbers are means of, for the caption; nothing for two runs.
    title : str, optional
        Replaces the takeaway.
    """
    from simulator.figures.waterfall import draw_waterfall

    steps = steps_between(base, run)
    base_kg = float(base["total_kgco2e"])
    return draw_waterfall(
        {each.step: each.difference_kgco2e for each in steps},
        base_kg=base_kg,
        names=names,
        notes=energies_text(steps),
        title=title or takeaway(steps, base_kg, names),
        caption=(
            f"Total carbon{runs_text}, location-based ({basis}) and embodied. Below a step: the "
            "same in energy; overhead: facility less IT energy."
        ),
    )
