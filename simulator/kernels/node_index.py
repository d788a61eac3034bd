"""The candidate index under placement: which node has so many accelerators free?

For each cluster and each number of free accelerators there is one set of nodes, kept as a tree
of bit words: bit i of a word says whether anything is set in word i of the level below. The
lowest node of a set is found in as many steps as the tree has levels (three for 32,768 nodes),
so no placement ever scans nodes, and ties go to the lowest node whatever the order of events.

Words hold 32 bits in an int64, so that compiled code and plain Python agree without overflow.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel

WORD_SHIFT = 5
WORD_MASK = 31
LEVELS = 5
"""Levels of a tree at most: 32**5 = 33,554,432 members."""

# Position of the lowest set bit by de Bruijn multiplication (Leiserson, Prokop, Randall 1998).
_DE_BRUIJN = 0x077CB531
_POSITION = np.zeros(32, np.int64)
for _bit in range(32):
    _POSITION[((_DE_BRUIJN << _bit) & 0xFFFFFFFF) >> 27] = _bit


def shape(nodes: int) -> tuple[list[int], int]:
    """Return the shape of a tree for `nodes` nodes.

    Returns
    -------
    row : list of int, LEVELS + 1 entries
        The number of levels, then the offset of each level's first word.
    words : int
        Words of one tree.
    """
    offsets = [0]
    size = nodes
    while size > 1 or len(offsets) == 1:
        size = -(-size // (WORD_MASK + 1))
        offsets.append(offsets[-1] + size)
    levels = len(offsets) - 1
    return [levels, *offsets[:levels], *[0] * (LEVELS - levels)], offsets[-1]


def fill(words: NDArray[np.int64], places: int, nodes: int) -> None:
    """Make the tree in `words`, of so many places, the set of the first `nodes` of them."""
    size = WORD_MASK + 1
    at = 0
    while at < len(words):
        full, rest = divmod(nodes, size)
        words[at : at + full] = (1 << size) - 1
        if rest:
            words[at + full] = (1 << rest) - 1
        nodes = full + (rest > 0)
        places = -(-places // size)
        at += places


@kernel(inline="llvm")
def lowest(words, base, table, row, column):
    """Return the lowest member of the non-empty set that begins at word `base`.

    Parameters
    ----------
    words : int64[:]
        Trees of all clusters and free counts.
    base : int
        First word of the set's tree.
    table, row, column
        Where the tree's shape stands: the number of levels at `column`, then the offset of
        each level, as made by `shape`.
    """
    index = 0
    for level in range(table[row, column], 0, -1):
        word = words[base + table[row, column + level] + index]
        low = word & -word
        index = (index << WORD_SHIFT) | _POSITION[((low * _DE_BRUIJN) & 0xFFFFFFFF) >> 27]
    return index


@kernel(inline="llvm")
def insert(words, base, table, row, column, member):
    """Put `member` into the set that begins at word `base`."""
    for level in range(1, table[row, column] + 1):
        at = base + table[row, column + level] + (member >> WORD_SHIFT)
        before = words[at]
        words[at] = before | (1 << (member & WORD_MASK))
        if before != 0:
            break
        member >>= WORD_SHIFT


@kernel(inline="llvm")
def remove(words, base, table, row, column, member):
    """Take `member` out of the set that begins at word `base`."""
    for level in range(1, table[row, column] + 1):
        at = base + table[row, column + level] + (member >> WORD_SHIFT)
        after = words[at] & ~(1 << (member & WORD_MASK))
        words[at] = after
        if after != 0:
            break
        member >>= WORD_SHIFT


@kernel(inline="always")
def lowest_above(words, base, table, row, column, member):
    """Return the lowest member above `member` of the set that begins at `base`, -1 if none is."""
    levels = table[row, column]
    index = member
    found = -1
    for level in range(1, levels + 1):
        word = words[base + table[row, column + level] + (index >> WORD_SHIFT)]
        rest = word & ~((2 << (index & WORD_MASK)) - 1)
        if rest != 0:
            low = rest & -rest
            position = _POSITION[((low * _DE_BRUIJN) & 0xFFFFFFFF) >> 27]
            found = (index & ~WORD_MASK) | position
            for below in range(level - 1, 0, -1):
                word = words[base + table[row, column + below] + found]
                low = word & -word
                found = (found << WORD_SHIFT) | _POSITION[((low * _DE_BRUIJN) & 0xFFFFFFFF) >> 27]
            break
        index >>= WORD_SHIFT
    return found
