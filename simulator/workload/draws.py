"""Drawing from laws: whole columns at once, in pieces that stay in the processor's cache."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.rng import Stream, stream
from simulator.scenario.laws import Constant, Mixture
from simulator.traces.opened import Opened
from simulator.workload.laws import AnyLaw, Floats, inverse, weighted_parts

PIECE: Final = 1 << 16
"""Numbers drawn at a time."""

Draw = Callable[[int], Floats]


def draw(law: AnyLaw, count: int, seed: int, *name: str, opened: Opened | None = None) -> Floats:
    """Return `count` values of a law, from the stream called `name`.

    The first values do not depend on how many are drawn. A mixture picks its part with a second
    stream, called `name` with ``-component`` at the end. Tables of the law are kept in `opened`.

    Returns
    -------
    float64[count]
        In the unit of the law.
    """
    if isinstance(law, Constant):
        return np.full(count, law.value)
    values = np.empty(count)
    piece = drawer(law, seed, *name, opened=opened)
    for begin in range(0, count, PIECE):
        end = min(begin + PIECE, count)
        values[begin:end] = piece(end - begin)
    return values


def draw_choices(
    choices: Sequence[int], weights: Sequence[float], count: int, seed: int, *name: str
) -> NDArray[np.int32]:
    """Return `count` of the choices, each with a chance in proportion to its weight."""
    options = np.array(choices, np.int32)
    if len(options) == 1:
        return np.full(count, options[0])
    values = np.empty(count, np.int32)
    shares = stream(seed, *name)
    for begin in range(0, count, PIECE):
        end = min(begin + PIECE, count)
        values[begin:end] = options[_pick(weights, shares.uniforms(end - begin))]
    return values


def drawer(law: AnyLaw, seed: int, *name: str, opened: Opened | None = None) -> Draw:
    """Return a function that draws the next values of a law."""
    sizes = stream(seed, *name)
    if isinstance(law, Mixture):
        components = stream(seed, *name[:-1], f"{name[-1]}-component")
        return _mixturedrawer(law, sizes, components, opened)
    invert = inverse(law, opened)
    return lambda count: invert(sizes.uniforms(count))


def _mixturedrawer(law: Mixture, sizes: Stream, components: Stream, opened: Opened | None) -> Draw:
    parts = weighted_parts(law)
    weights = [weight for weight, _ in parts]
    inverses = [inverse(part, opened) for _, part in parts]
    heaviest = int(np.argmax(weights))

    def draw_next(count: int) -> Floats:
        part = _pick(weights, components.uniforms(count))
        shares = sizes.uniforms(count)
        others = [
            (rows, inverses[k](shares[rows]))
            for k in range(len(parts))
            if k != heaviest and len(rows := np.flatnonzero(part == k))
        ]
        values = inverses[heaviest](shares)  # for all: cheaper than gathering nearly all of them
        for rows, drawn in others:
            values[rows] = drawn
        return values

    return draw_next


def _pick(weights: Sequence[float], shares: Floats) -> NDArray[np.int16]:
    """Return the index of the choice that each share falls on."""
    total = sum(weights)
    picked = np.zeros(len(shares), np.int16)
    for edge in list(accumulate(weights))[:-1]:
        picked += shares >= edge / total
    return picked
