"""Tables as text: columns of cells below one another, within the width of a terminal."""

from collections.abc import Iterable, Sequence
from typing import Final

WIDTH: Final = 80
"""Columns of a terminal."""
GAP: Final = 2
"""What parts two columns."""
CUT: Final = "…"


def aligned(columns: Sequence[Sequence[str]], texts: Iterable[int] = ()) -> list[str]:
    """Return columns of cells as lines.

    Parameters
    ----------
    columns : sequence of sequence of str
        All of one length.
    texts : iterable of int
        Places of the columns that stand from the left; the others stand from the right.
    """
    left = set(texts)
    padded = []
    for at, cells in enumerate(columns):
        width = breadth(cells)
        padded.append([cell.ljust(width) if at in left else cell.rjust(width) for cell in cells])
    return [(" " * GAP).join(row).rstrip() for row in zip(*padded, strict=True)]


def breadth(cells: Iterable[str]) -> int:
    """Return how wide a column is."""
    return max(map(len, cells), default=0)


def span(columns: Iterable[Sequence[str]]) -> int:
    """Return how wide columns are beside one another, a gap before each."""
    return sum(breadth(cells) + GAP for cells in columns)


def shortened(cells: Sequence[str], width: int) -> list[str]:
    """Return cells of at most so many letters, different ones still different where that can be.

    Long ones lose their end; where two would then read the same, they lose their middle.
    """
    cut = [_headed(cell, width) for cell in cells]
    if len(set(cut)) == len(set(cells)):
        return cut
    return [_ended(cell, width) for cell in cells]


def least_width(cells: Sequence[str], least: int) -> int:
    """Return the least width, from `least` on, at which different cells are still different."""
    different = len(set(cells))
    return next(
        (
            width
            for width in range(least, breadth(cells))
            if len(set(shortened(cells, width))) == different
        ),
        breadth(cells),
    )


def shared(wanted: Sequence[int], room: int) -> list[int]:
    """Return how wide columns may be: those that want little leave the rest to the others."""
    widths = [0] * len(wanted)
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    for place, at in enumerate(order):
        widths[at] = min(wanted[at], room // (len(wanted) - place))
        room -= widths[at]
    return widths


def _headed(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)].rstrip()}{CUT}"


def _ended(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}{CUT}{text[len(text) - tail :]}"
