"""ladder: idle nodes step down the idle states of their node type."""

from simulator.power.descent import Descent
from simulator.registry import provisioning
from simulator.scenario.nodes import IdleState


@provisioning("ladder")
def ladder(states: tuple[IdleState, ...]) -> Descent:
    """Take each idle state of the node type as soon as its `after` has passed."""
    return Descent(states)
