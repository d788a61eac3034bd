"""What a gap without a job costs, awake or in an idle state; warnings of timeouts set too short.

A node that goes down to a state at the beginning of a gap of length T and is woken so that it is
ready at the gap's end draws

    E(T) = E_enter + P (T - t_enter - t_wake) + E_wake        for T of at least t_enter + t_wake,

a straight line over T, as is P_idle T for one that stays awake. All comparisons of states are
comparisons of such lines (Benini and De Micheli 1998; Irani, Shukla and Gupta 2003). A ladder is
gone down step by step, so entering a state includes entering those above it; waking does not.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.errors import shown
from simulator.scenario import law_moments
from simulator.scenario.laws import Empirical
from simulator.scenario.nodes import NodeType
from simulator.scenario.paths import dotted
from simulator.units import MS_PER_H, MS_PER_MIN, MS_PER_S, format_quantity

if TYPE_CHECKING:
    from simulator.scenario.clusters import Cluster
    from simulator.scenario.model import Scenario

AWAKE = "awake"
"""What a node that takes no state of its ladder is called."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Spending a gap in one state, entered at once and left in time.

    Attributes
    ----------
    name : str
    power_w : float
        While resting.
    enter_s, enter_j : float
        Time and energy of entering the state and all above it.
    wake_s, wake_j : float
        Mean time and energy of waking.
    """

    name: str
    power_w: float
    enter_s: float = 0.0
    enter_j: float = 0.0
    wake_s: float = 0.0
    wake_j: float = 0.0

    @property
    def shortest_s(self) -> float:
        """The shortest gap that leaves time to enter and to wake. [s]"""
        return self.enter_s + self.wake_s

    @property
    def fixed_j(self) -> float:
        """Where the line of the state meets a gap of length 0. [J]"""
        if math.isinf(self.wake_s):
            return math.inf
        return self.enter_j + self.wake_j - self.power_w * self.shortest_s

    def energy_j(self, gap_s: float) -> float:
        """Return the energy of a gap of at least `shortest_s`. [J]"""
        return self.fixed_j + self.power_w * gap_s


def rests_of(
    node: NodeType, wakes_s: Sequence[float], awake_w: float | None = None
) -> tuple[Rest, ...]:
    """Return what a node may do with a gap: stay awake, or each state of its ladder.

    Parameters
    ----------
    node : NodeType
    wakes_s : sequence of float
        Mean time to wake from each state.
    awake_w : float, optional
        What an awake idle node draws, where a power level makes it another than usual.
    """
    rests = [Rest(AWAKE, node.idle_power_w if awake_w is None else awake_w)]
    for state, wake_s in zip(node.idle_states, wakes_s, strict=True):
        enter_s = state.enter_time_ms / MS_PER_S
        rest = Rest(
            name=state.name,
            power_w=state.power_w,
            enter_s=rests[-1].enter_s + enter_s,
            enter_j=rests[-1].enter_j + state.enter_power_w * enter_s,
            wake_s=wake_s,
            wake_j=state.wake_power_w * wake_s if state.wake_power_w else 0.0,
        )
        rests.append(rest)
    return tuple(rests)


def crossing_s(shallow: Rest, deep: Rest) -> float:
    """Return the gap beyond which one line lies below the other, infinite if it never does. [s]

    T = (E_enter + E_wake - P (t_enter + t_wake)) / (P_shallow - P) for a shallow line through 0.
    """
    saved_w = shallow.power_w - deep.power_w
    if saved_w <= 0.0 or math.isinf(deep.fixed_j):
        return math.inf
    return max(0.0, (deep.fixed_j - shallow.fixed_j) / saved_w)


def break_even_s(shallow: Rest, deep: Rest) -> float:
    """Return the gap from which a state pays: the crossing, but time to enter and to wake. [s]"""
    return max(crossing_s(shallow, deep), deep.shortest_s)


def pays_from_s(above: Sequence[Rest], rest: Rest) -> float:
    """Return the gap from which a state costs less than staying awake and all states above it. [s]

    Against a state of its own power that costs more in every gap it pays as soon as there is time.

    Parameters
    ----------
    above : sequence of Rest
        Staying awake, and the states above this one.
    rest : Rest
    """
    gaps_s = [break_even_s(above[0], rest)]
    for shallow in above[1:]:
        always = shallow.power_w == rest.power_w and rest.fixed_j < shallow.fixed_j
        gaps_s.append(rest.shortest_s if always else break_even_s(shallow, rest))
    return max(gaps_s)


def uses_ladder(cluster: "Cluster") -> bool:
    """Return whether idle nodes of a cluster take the states of their ladder."""
    return cluster.idle.follows_ladder


def early_rests(scenario: "Scenario") -> Iterator[str]:
    """Yield a warning for each state that is entered before it can be known to pay."""
    texts: dict[str, None] = {}
    for name, cluster in scenario.clusters.items():
        own = scenario.nodes[cluster.node]
        node = cluster.idle.ladder_of(own)
        laws = [state.wake_time for state in node.idle_states]
        wakes_s = [
            law_moments.mean(law) / MS_PER_S for law in laws if not isinstance(law, Empirical)
        ]
        # A law that stands in a file is only known once the file has been read.
        if uses_ladder(cluster) and len(wakes_s) == len(laws):
            rests = rests_of(node, wakes_s, node.level(cluster.power_level).idle_power_w)
            for index, text in _early(node, rests):
                state = node.idle_states[index]
                path = dotted(("clusters", name, "idle", "after"))
                if state in own.idle_states:
                    at = own.idle_states.index(state)
                    path = dotted(("nodes", cluster.node, "idle_states", at, "after"))
                texts[f"{path}: {text}"] = None
    yield from texts


def _early(node: NodeType, rests: Sequence[Rest]) -> Iterator[tuple[int, str]]:
    for index, state in enumerate(node.idle_states):
        above, rest = rests[index], rests[index + 1]
        from_s = pays_from_s(rests[: index + 1], rest)
        lost_j = rest.enter_j + rest.wake_j - above.enter_j - above.wake_j
        if state.after_ms >= from_s * MS_PER_S or lost_j <= 0.0:
            continue
        lost = (
            f"a gap that ends as {shown(state.name)} is entered costs "
            f"{_rounded(lost_j, 'energy')} more than one spent "
            f"{AWAKE if not index else f'in {shown(above.name)}'}"
        )
        if math.isinf(from_s):
            yield index, f"sleeping here never pays; {lost}: take the state out"
            continue
        after = format_quantity(state.after_ms, "time")
        even = _rounded(from_s * MS_PER_S, "time")
        wanted = whole_time(from_s)
        yield (
            index,
            f'{after} is below the break-even gap of {even}; {lost}: write at least "{wanted}"',
        )


def _rounded(value: float, dimension: str) -> str:
    """Return a quantity with four digits."""
    number, unit = format_quantity(value, dimension).split(" ", 1)
    return f"{float(number):.4g} {unit}"


def whole_time(time_s: float) -> str:
    """Return a time rounded up to a whole number of a unit that suits it, as a file says it."""
    steps = ((10 * MS_PER_S, 1, "ms"), (10 * MS_PER_MIN, MS_PER_S, "s"))
    later = ((10 * MS_PER_H, MS_PER_MIN, "min"), (math.inf, MS_PER_H, "h"))
    time_ms = time_s * MS_PER_S
    size_ms, unit = next((size, unit) for most, size, unit in steps + later if time_ms < most)
    return f"{math.ceil(time_ms / size_ms)} {unit}"
