"""Explanations as people read them on a terminal, within 80 columns."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

from simulator.display import DURATION, duration_text, share_text, short_text, unit_for
from simulator.errors import printable
from simulator.scenario.toml_writer import inline
from simulator.units import S_PER_H, W_PER_KW

if TYPE_CHECKING:
    from simulator.explanation.ladders import ClusterLadder, StateLine
    from simulator.explanation.residency import Residency

WIDTH: Final = 80
SHORTEST_NAME: Final = 6
MOST_NAMED: Final = 6
HEAD: Final = ("state", "power", "saves", "after", "break-even", "wake p50/p99", "verdict")
THEORY: Final = (
    "A state pays in gaps longer than its break-even gap, (E_transition - P t_transition) / "
    "(P_idle - P) and at least the time to enter and to wake (Benini and De Micheli 1998); "
    "entered when a gap has lasted so long, it costs at most about twice the least possible, "
    "however long the gap turns out (Karlin et al. 1990; for ladders Irani et al. 2003)."
)


def ladder_lines(
    ladders: "Sequence[ClusterLadder]", did: "Mapping[str, Residency] | None" = None
) -> Iterator[str]:
    """Yield the ladders of a scenario line by line, and what a run did with them.

    Clusters that stand one after the other with the same nodes and the same rule share a table.
    """
    for _, group in groupby(ladders, key=_kind):
        alike = list(group)
        yield from _clusters(alike)
        for ladder in alike:
            if did is not None and ladder.cluster in did:
                yield from _did(did[ladder.cluster])
        yield ""
    if any(ladder.states for ladder in ladders):
        yield from textwrap.wrap(THEORY, WIDTH)


def _kind(ladder: "ClusterLadder") -> tuple[str, float, str]:
    """Return what clusters that share a table have in common."""
    return ladder.node_type, ladder.idle_power_w, inline(ladder.idle)


def _clusters(alike: "Sequence[ClusterLadder]") -> Iterator[str]:
    ladder = alike[0]
    count = sum(each.node_count for each in alike)
    names = ", ".join(each.cluster for each in alike[:MOST_NAMED])
    if len(alike) > MOST_NAMED:
        names += f" and {len(alike) - MOST_NAMED} more"
    use = "its states are in use" if ladder.in_use else "its states are not in use"
    head = (
        f"{names}: {count:,} x {ladder.node_type}, {power_text(ladder.idle_power_w)} awake and "
        f"idle; idle = {inline(ladder.idle)}"
    )
    yield from wrapped(f"{head}: {use}" if ladder.states else head, 0)
    if not ladder.states:
        yield "  no idle states: a gap is spent awake, however long it is"
        return
    yield from _table([HEAD, *(_cells(state) for state in ladder.states)])
    yield from wrapped(_envelope(ladder.states), 2)
    yield from wrapped(_competition(ladder), 2)
    if not ladder.in_use:
        yield from wrapped(f"to use them: --set clusters.{ladder.cluster}.idle=ladder", 2)


def _cells(state: "StateLine") -> tuple[str, ...]:
    return (
        printable(state.name),
        power_text(state.power_w),
        power_text(state.saves_w),
        time_text(state.after_s),
        time_text(state.break_even_s),
        _wake_text(state.wake_p50_s, state.wake_p99_s),
        state.verdict,
    )


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    others = sum(widths[1:]) + 2 * len(widths)
    widths[0] = min(widths[0], max(SHORTEST_NAME, WIDTH - others))
    for row in rows:
        cells = [f"{short_text(row[0], widths[0]):<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        yield "  " + "  ".join((*cells, row[-1]))


def _envelope(states: "Sequence[StateLine]") -> str:
    """Say which rest is the cheapest for gaps of which length."""
    best = sorted(
        (state.best_from_s, printable(state.name))
        for state in states
        if state.best_from_s is not None
    )
    text = "cheapest by length of gap: awake"
    for from_s, name in best:
        text += f" up to {time_text(from_s)}, then {name}"
    never = [printable(state.name) for state in states if state.best_from_s is None]
    return text + (f"; never the cheapest: {', '.join(never)}" if never else "")


def _competition(ladder: "ClusterLadder") -> str:
    bound = "can cost" if math.isinf(ladder.worst_ratio) else "costs at most"
    worst = f"as it stands a gap {bound} {_ratio_text(ladder.worst_ratio)} the least possible"
    if ladder.worst_ratio > 1.0:
        worst += f", one just over {time_text(ladder.worst_gap_s)}"
    afters = [time_text(s.enter_at_s) for s in ladder.states if s.enter_at_s is not None]
    if not afters or ladder.competitive_ratio >= ladder.worst_ratio:
        return worst
    return f"{worst}; with after {', '.join(afters)}, {_ratio_text(ladder.competitive_ratio)}"


def _ratio_text(ratio: float) -> str:
    return "any number of times" if math.isinf(ratio) else f"{ratio:.3g} times"


def _did(residency: "Residency") -> Iterator[str]:
    shares = ", ".join(
        f"{printable(kind)} {share_text(share)}" for kind, share in residency.shares.items()
    )
    yield from wrapped(f"{residency.cluster} in this run: {shares or 'no time passed'}", 2)
    if residency.wake_ups and residency.wake_ups_per_node_day is not None:
        said = (
            f"{residency.wake_ups:,} wake-ups, {residency.wake_ups_per_node_day:.3g} a node and day"
        )
        if residency.cancelled:
            said += f", {residency.cancelled:,} of them cancelled"
        if residency.asleep_per_wake_up_h is not None:
            asleep = duration_text(residency.asleep_per_wake_up_h)
            said += f"; {asleep} in idle states before each that was finished"
        yield from wrapped(said, 2)


def power_text(power_w: float) -> str:
    """Return a power with four digits, e.g. ``"1.25 kW"``."""
    if abs(power_w) < W_PER_KW:
        return f"{power_w:.4g} W"
    return f"{power_w / W_PER_KW:,.4g} kW"


def time_text(time_s: float) -> str:
    """Return a time with three digits, e.g. ``"2.08 min"``."""
    if math.isinf(time_s):
        return "never"
    if time_s == 0.0:
        return "0 s"
    size_h, unit = unit_for([time_s / S_PER_H], DURATION)
    return f"{time_s / S_PER_H / size_h:.3g} {unit}"


def _wake_text(p50_s: float, p99_s: float) -> str:
    """Return two times in one unit, e.g. ``"5/15 min"``; one where they are the same."""
    if p50_s == p99_s or not math.isfinite(p99_s):
        return time_text(p50_s)
    size_h, unit = unit_for([p99_s / S_PER_H], DURATION)
    return f"{p50_s / S_PER_H / size_h:.3g}/{p99_s / S_PER_H / size_h:.3g} {unit}"


def wrapped(text: str, indent: int) -> list[str]:
    """Return a text as indented lines; what follows the first is indented further."""
    space = " " * indent
    return textwrap.wrap(
        printable(text), WIDTH, initial_indent=space, subsequent_indent=f"{space}  "
    )
