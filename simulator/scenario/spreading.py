"""Words for how the carbon of making is spread, and what becomes of it at retirement."""

from typing import TYPE_CHECKING, Final

from simulator.scenario.buildings import BUILT

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario

STRAIGHT_LINE: Final = "straight-line"
BY_USE: Final = "by-use"
RULES: Final = (STRAIGHT_LINE, BY_USE)
"""Evenly over the calendar lifetime, or over the time in use of a stated lifetime of use."""

HELD: Final = "held"
AWAKE: Final = "awake"
USES: Final = (HELD, AWAKE)
"""What counts as use: accelerators that jobs hold, or nodes that are awake."""

CARRIED: Final = "carried"
WRITTEN_OFF: Final = "written-off"
RETIREMENTS: Final = (CARRIED, WRITTEN_OFF)
"""What becomes of the carbon that a node leaves at its retirement: it goes with the node, or is
counted then."""


def spreading_of(scenario: "Scenario") -> str | None:
    """Return how a scenario spreads the carbon of making, in words.

    None where it is that of nodes in a straight line and nothing else.
    """
    accounting = scenario.accounting
    by_use = accounting.embodied == BY_USE
    rule = f"by use, {accounting.in_use or HELD}" if by_use else "in a straight line"
    built = [
        key.replace("_", " ")
        for key in BUILT
        if any(getattr(site, key) is not None for site in scenario.sites.values())
    ]
    words = f"of {' and '.join(['nodes', *built])} {rule}"
    if built and by_use:
        words = f"of nodes {rule}, of {' and '.join(built)} in a straight line"
    written_off = accounting.retirement == WRITTEN_OFF
    if not (by_use or built or written_off):
        return None
    return f"{words}, written off at retirement" if written_off else words
