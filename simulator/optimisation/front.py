"""What no other beats: the exact front of a table of losses."""

import numpy as np
from numpy.typing import NDArray


def unbeaten(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows no other row beats: is no worse in every loss and better in one.

    Equal rows beat neither one another.

    Parameters
    ----------
    losses : float64[rows, objectives]
        The smaller the better.
    """
    order = np.lexsort(losses.T[::-1])  # whoever beats a row stands before it
    front: list[int] = []
    for row in order:
        before = losses[front]
        no_worse = (before <= losses[row]).all(axis=1)
        better = (before < losses[row]).any(axis=1)
        if not (no_worse & better).any():
            front.append(int(row))
    found = np.zeros(len(losses), np.bool_)
    found[front] = True
    return found
