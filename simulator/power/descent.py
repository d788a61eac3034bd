"""What an idle node does by the clock alone."""

from dataclasses import dataclass

from simulator.scenario.laws import Law
from simulator.scenario.nodes import IdleState


@dataclass(frozen=True, slots=True)
class Descent:
    """The ladder that idle nodes follow.

    Attributes
    ----------
    states : tuple of IdleState
        In order of depth; without any the node stays awake.
    timer : Law or None
        Law of the time after which the one state is entered, drawn anew for each gap, in ms.
        None where the states' own `after_ms` say it.
    """

    states: tuple[IdleState, ...] = ()
    timer: Law | None = None
