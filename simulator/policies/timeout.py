"""timeout: delayed-off, one state entered after an idle timer."""

from simulator.errors import listing, nearest, shown
from simulator.power.descent import Descent
from simulator.registry import ParameterError, provisioning
from simulator.scenario.laws import Constant, Law
from simulator.scenario.nodes import IdleState


@provisioning("timeout")
def timeout(states: tuple[IdleState, ...], *, after: Law, state: str | None = None) -> Descent:
    """Take one idle state after a time of its own: delayed-off.

    With a constant `after` equal to (energy of the transitions) / (idle power - power asleep) no
    gap costs more than twice the least energy it could have cost (Karlin et al., Competitive
    Randomized Algorithms for Nonuniform Problems, 1994). With an exponential `after` an M/M/c
    fleet is a Markov chain that can be solved exactly (Gandhi, Harchol-Balter and Adan, Server
    farms with setup costs, 2010).

    Parameters
    ----------
    after : Law
        Time without a job after which the state is entered; a distribution is drawn anew for
        each gap.
    state : str
        Name of the idle state; without it the deepest of the node type.
    """
    if state is None:
        chosen = states[-1:]
    else:
        chosen = tuple(each for each in states if each.name == state)[:1]
        if not chosen:
            raise ParameterError("state", _no_such_state(state, states))
    if isinstance(after, Constant):
        after_ms = round(after.value)
        return Descent(tuple(each.model_copy(update={"after_ms": after_ms}) for each in chosen))
    return Descent(chosen, timer=after)


def _no_such_state(name: str, states: tuple[IdleState, ...]) -> str:
    known = [each.name for each in states]
    near = nearest(name, known)
    meant = f"did you mean {shown(near)}? " if near else ""
    return f"no idle state of the node type is called {shown(name)}; {meant}known are " + listing(
        known
    )
