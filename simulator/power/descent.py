"""What an idle node does by the clock alone."""

from dataclasses import dataclass
from itertools import pairwise

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

    Raises
    ------
    TypeError, ValueError
        If the states are none, or not in order of depth.
    """

    states: tuple[IdleState, ...] = ()
    timer: Law | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", tuple(self.states))
        for state in self.states:
            if not isinstance(state, IdleState):
                raise TypeError(f"{state!r} is no idle state; take some of those that were given")
        for shallow, deep in pairwise(self.states):
            if not (shallow.after_ms < deep.after_ms and shallow.power_w >= deep.power_w):
                raise ValueError(
                    f"{deep.name} must come later than {shallow.name} and draw no more; give the "
                    "states in order of depth"
                )
        if self.timer is not None and len(self.states) > 1:
            raise ValueError(f"a timer stands for one state, not for {len(self.states)}")
