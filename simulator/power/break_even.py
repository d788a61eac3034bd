"""Break-even gaps of a ladder of idle states, and timeouts that can't go far wrong.

A state pays in gaps longer than its break-even gap (Benini and De Micheli 1998)

    T = (E_transition - P (t_enter + t_wake)) / (P_idle - P), at least t_enter + t_wake.

Nobody knows how long a gap will last. Entering a state when the gap has lasted as long as its
break-even gap spends at most twice what one who knew would spend (Karlin et al. 1990); on a
ladder of states the same holds for entering each where it begins to be the cheapest, on the
lower envelope of the lines of energy over gap (Irani, Shukla and Gupta 2003).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from simulator.scenario.nodes import NodeType
from simulator.scenario.rests import (
    AWAKE,
    Rest,
    break_even_s,
    crossing_s,
    pays_from_s,
    rests_of,
)
from simulator.units import MS_PER_S


@dataclass(frozen=True, slots=True)
class RestingState:
    """A state of a ladder and when it pays.

    Attributes
    ----------
    rest : Rest
    after_s : float
        Time without a job after which it is entered.
    saves_w : float
        Power saved while resting, against an awake idle node.
    break_even_s : float
        Gap from which it costs less than staying awake; infinite if it never does.
    best_from_s : float or None
        Gap from which no other state and not staying awake costs less; None if there is none.
    enter_at_s : float or None
        When to enter it so that no gap costs more than about twice the least: where its line
        crosses that of the state before it, however long entering and waking take.
    pays_from_s : float
        Gap from which it costs less than anything above it, infinite if it never does; a timeout
        should not be shorter.
    """

    rest: Rest
    after_s: float
    saves_w: float
    break_even_s: float
    best_from_s: float | None
    enter_at_s: float | None
    pays_from_s: float

    @property
    def name(self) -> str:
        """Name of the state."""
        return self.rest.name


@dataclass(frozen=True, slots=True)
class RestingLadder:
    """A node's ladder of idle states, and what gaps cost on it.

    Attributes
    ----------
    awake : Rest
        Not using it.
    states : tuple of RestingState
        In order of depth.
    """

    awake: Rest
    states: tuple[RestingState, ...]

    def competitive(self) -> "RestingLadder":
        """Return the ladder of the states that are ever the cheapest, each entered in time."""
        kept = [
            replace(state, after_s=state.enter_at_s)
            for state in self.states
            if state.enter_at_s is not None
        ]
        return RestingLadder(self.awake, tuple(kept))

    def spent_j(self, gap_s: float) -> float:
        """Return what a gap costs on the ladder, the waking after it included. [J]

        A gap that ends exactly where a state begins has not entered it; one that ends while a
        state is being entered pays for the whole entering.
        """
        rest, clock_s, spent_j = self.awake, 0.0, 0.0
        for state, begin_s in zip(self.states, self.begins_s(), strict=True):
            if gap_s <= begin_s:
                break
            spent_j += rest.power_w * (begin_s - clock_s) + state.rest.enter_j - rest.enter_j
            clock_s = begin_s + state.rest.enter_s - rest.enter_s
            rest = state.rest
        return spent_j + rest.power_w * max(0.0, gap_s - clock_s) + rest.wake_j

    def least_j(self, gap_s: float) -> float:
        """Return what the gap costs at the least, its length known beforehand. [J]"""
        fitting = [state.rest for state in self.states if state.rest.shortest_s <= gap_s]
        return min(rest.energy_j(gap_s) for rest in (self.awake, *fitting))

    def begins_s(self) -> list[float]:
        """Return when each state begins to be entered, none before the one above it is. [s]"""
        begins: list[float] = []
        entered_s = above_s = 0.0
        for state in self.states:
            begins.append(max(state.after_s, entered_s))
            entered_s = begins[-1] + state.rest.enter_s - above_s
            above_s = state.rest.enter_s
        return begins

    def worst(self) -> tuple[float, float]:
        """Return the largest ratio of what a gap costs to the least, and that gap. [1], [s]

        The gap is this long, or longer by next to nothing. Both are straight between the instants
        where a state begins, has been entered, has time enough, or becomes the cheapest, so the
        ratio is largest at one of them or just beyond.
        """
        edges: set[float] = set()
        above_s = 0.0
        for state, begin_s in zip(self.states, self.begins_s(), strict=True):
            entered_s = begin_s + state.rest.enter_s - above_s
            edges |= {begin_s, entered_s, state.rest.shortest_s, state.pays_from_s}
            above_s = state.rest.enter_s
        ratios = [
            (max(self._ratio(edge_s), self._ratio(math.nextafter(edge_s, math.inf))), edge_s)
            for edge_s in edges
            if math.isfinite(edge_s)
        ]
        return max(ratios, default=(1.0, 0.0))

    def _ratio(self, gap_s: float) -> float:
        spent_j, least_j = self.spent_j(gap_s), self.least_j(gap_s)
        if least_j <= 0.0:
            return math.inf if spent_j > 0.0 else 1.0
        return spent_j / least_j


def ladder_of(
    node: NodeType, wakes_s: Sequence[float], awake_w: float | None = None
) -> RestingLadder:
    """Return the ladder of a node type with the break-even gap of each state.

    Parameters
    ----------
    node : NodeType
    wakes_s : sequence of float
        Mean time to wake from each state.
    awake_w : float, optional
        What an awake idle node draws, where a power level makes it another than usual.
    """
    rests = rests_of(node, wakes_s, awake_w)
    awake, enter_at = rests[0], _envelope(rests)
    states = [
        RestingState(
            rest=rest,
            after_s=state.after_ms / MS_PER_S,
            saves_w=awake.power_w - rest.power_w,
            break_even_s=break_even_s(awake, rest),
            best_from_s=(
                max(enter_at[index + 1], rest.shortest_s) if index + 1 in enter_at else None
            ),
            enter_at_s=enter_at.get(index + 1),
            pays_from_s=pays_from_s(rests[: index + 1], rest),
        )
        for index, (state, rest) in enumerate(zip(node.idle_states, rests[1:], strict=True))
    ]
    return RestingLadder(awake, tuple(states))


def break_even_gap_s(
    idle_power_w: float, state_power_w: float, transition_j: float, enter_s: float, wake_s: float
) -> float:
    """Return the break-even gap of one state, entering and waking costing `transition_j`. [s]"""
    state = Rest(AWAKE, state_power_w, enter_s, 0.0, wake_s, transition_j)
    return break_even_s(Rest(AWAKE, idle_power_w), state)


def _envelope(rests: Sequence[Rest]) -> dict[int, float]:
    """Return where each line becomes the lowest, by index; a line that never is, is out. [s]

    So is one that is the lowest only for gaps too short to enter it and to wake.
    """
    chosen = list(range(1, len(rests)))
    while True:
        crossings = _lower_envelope(rests, chosen)
        feasible = [max(from_s, rests[index].shortest_s) for index, from_s in crossings]
        late = [
            index
            for (index, _), (mine_s, next_s) in zip(crossings, pairwise(feasible), strict=False)
            if mine_s >= next_s
        ]
        if not late:
            return dict(crossings)
        chosen = [index for index, _ in crossings if index not in late]


def _lower_envelope(rests: Sequence[Rest], chosen: Sequence[int]) -> list[tuple[int, float]]:
    """Return the lines of the lower envelope, the awake node's left out, and where they begin.

    Lines are taken in order of falling power; a new one takes over at its crossing with the last,
    which is out if it began no earlier.
    """
    envelope: list[tuple[int, float]] = [(0, 0.0)]
    for index in sorted(chosen, key=lambda index: -rests[index].power_w):
        rest = rests[index]
        while True:
            last, from_s = envelope[-1]
            cheaper = rest.power_w == rests[last].power_w and rest.fixed_j < rests[last].fixed_j
            crossing = from_s if cheaper else crossing_s(rests[last], rest)
            if len(envelope) == 1 or crossing > from_s:
                break
            envelope.pop()
        if math.isfinite(crossing) and not (last == 0 and cheaper):
            envelope.append((index, crossing))
    return envelope[1:]
