"""Whether two pictures show the same: where their colours lie, whatever the letters look like."""

import io
from pathlib import Path
from typing import TypeAlias

import matplotlib.image
import numpy as np
from numpy.typing import NDArray

from simulator.figures.style import SERIES

Mask: TypeAlias = NDArray[np.bool_]

REACH = 4
"""Pixels that an edge may have moved: fonts move edges by one or two."""
FEW = 30
"""Pixels of a colour that may lie elsewhere: a legend's sign moves with the words before it."""
STRETCH = 0.04
"""How much larger or smaller the drawn part may be: names of other widths leave it other room."""


def differences(one: bytes, other: bytes) -> list[str]:
    """Return how two PNG pictures differ in what is drawn in the colours of series."""
    first, second = masks(one), masks(other)
    found = [colour for colour in SERIES if first[colour].any() != second[colour].any()]
    if found:
        return [f"{colour} is in one of them only" for colour in found]
    boxes = [box(np.logical_or.reduce(list(each.values()))) for each in (first, second)]
    sizes = [np.array([rows.stop - rows.start, columns.stop - columns.start])
             for rows, columns in boxes]  # fmt: skip
    if (np.abs(sizes[0] / sizes[1] - 1) > STRETCH).any():
        return [f"one is {sizes[0]} pixels large, the other {sizes[1]}"]
    for colour in SERIES:
        here = first[colour][boxes[0]]
        there = stretched(second[colour][boxes[1]], here.shape)
        apart = max(outside(here, there), outside(there, here))
        if apart > FEW:
            found.append(f"{apart} pixels of {colour} lie elsewhere")
    return found


def masks(png: bytes) -> dict[str, Mask]:
    """Return where each colour of series stands in a PNG picture."""
    picture = np.rint(255 * matplotlib.image.imread(io.BytesIO(png), format="png")[:, :, :3])
    wanted = {colour: [int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in SERIES}
    return {
        colour: np.asarray((np.abs(picture - np.array(rgb)) < 6).all(axis=2))
        for colour, rgb in wanted.items()
    }


def box(mask: Mask) -> tuple[slice, slice]:
    """Return the smallest part of a picture with all that is marked."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def stretched(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return a mask at another size."""
    rows, columns = (
        np.minimum((np.arange(wanted) * there // wanted), there - 1)
        for wanted, there in zip(shape, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)]


def outside(one: Mask, other: Mask) -> int:
    """Return how much of what is marked lies farther than `REACH` from what the other marks."""
    near = other.copy()
    for axis in (0, 1):
        grown = near.copy()
        for step in range(1, REACH + 1):
            for sign in (step, -step):
                moved = np.roll(near, sign, axis=axis)
                edge = [slice(None), slice(None)]
                edge[axis] = slice(0, step) if sign > 0 else slice(-step, None)
                moved[tuple(edge)] = False
                grown |= moved
        near = grown
    return int((one & ~near).sum())


def kept(docs: Path, paper: str, figure: str) -> bytes:
    """Return the picture of a figure on the page of papers."""
    return (docs / "img" / "papers" / f"{paper}_{figure}.png").read_bytes()
