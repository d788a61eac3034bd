"""What makes the difference of carbon between two sides of a comparison, means over the seeds."""

from typing import TYPE_CHECKING, Any, Final

from simulator.errors import InputError, Issue, listing, shown
from simulator.explanation.difference import CARBON, SUPPLY, bases_text, keys_of_steps
from simulator.explanation.waterfall import draw_difference

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulator.comparison.comparison import Comparison

ROUNDING: Final = 1e-9
"""Part of a total below which what is left of it is nothing."""


def draw_steps(found: "Comparison", other: str | None = None) -> "Figure":
    """Draw what leads from the mean total carbon of the base to that of another side.

    Parameters
    ----------
    found : Comparison
    other : str, optional
        Name of the other side; the first after the base unless given.

    Raises
    ------
    InputError
        If there is no such side, or a step is absent in some run of either.
    """
    base, others = found.names[0], found.names[1:]
    name = others[0] if other is None else other
    if name not in others:
        rule = f"{shown(name)} is no side to set against {base}; write one of {listing(others)}"
        raise InputError("waterfall", [Issue("other", rule)])
    means = found.table[found.table["other"] == name].set_index("quantity")
    missing = [key for key in keys_of_steps() if means["difference"].isna()[key]]
    if missing:
        rule = "is absent in some run, so the steps don't add up; name another side"
        raise InputError("waterfall", [Issue(key, rule) for key in missing])
    seeds = len(found.seeds)
    return draw_difference(
        _with_supply(dict(zip(means.index, means["base_mean"], strict=True))),
        _with_supply(dict(zip(means.index, means["other_mean"], strict=True))),
        (base, name),
        bases_text(found.basis[base], found.basis[name]),
        runs_text=f", means over {seeds} seeds" if seeds > 1 else "",
    )


def _with_supply(means: dict[str, Any]) -> dict[str, Any]:
    """Return means with what supply embodies: what the other steps leave of the total.

    It is absent as a quantity where one side has no supply; there it is nothing.
    """
    total_kg = float(means["total_kgco2e"])
    rest_kg = total_kg - sum(float(means[key]) for key in keys_of_steps())
    return means | {CARBON[SUPPLY]: rest_kg if abs(rest_kg) > ROUNDING * abs(total_kg) else None}
