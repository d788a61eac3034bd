"""always-on: idle nodes stay awake."""

from simulator.power.descent import Descent
from simulator.registry import provisioning
from simulator.scenario.nodes import IdleState


@provisioning("always-on")
def always_on(states: tuple[IdleState, ...]) -> Descent:
    """Keep all nodes awake, whatever idle states they have."""
    del states
    return Descent()
