"""Load curves: what a node draws between idle and busy.

For a node of W accelerators, `busy` of them at work, u = busy / W, and ::

    draw = W f(u),    f(u) = p(u) - sum over j of weights[j] u^exponents[j]

where p is made of straight lines between knots. A curve 2u - u^r is p(u) = 2u and one term of
weight 1 and exponent r; points are knots; the sum of components is the sum of their knots and
terms, each weighted by its share of the node's span. f(0) = 0 and f(1) = 1, exactly.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel

STRAIGHT = 1e-12
"""Change of slope between pieces of one straight line, by rounding."""


class Curves(NamedTuple):
    """Load curves, one row for each cluster; entries beyond the counts are not read."""

    bent: NDArray[np.bool_]  # [clusters] whether it is no straight line
    accelerators: NDArray[np.int64]  # [clusters] of one node
    knots: NDArray[np.int64]  # [clusters] number of knots, at least 2
    load: NDArray[np.float64]  # [clusters, most knots] u of each knot, from 0 to 1
    share: NDArray[np.float64]  # [clusters, most knots] p(u) of each knot
    terms: NDArray[np.int64]  # [clusters] number of exponent terms
    weights: NDArray[np.float64]  # [clusters, most terms]
    exponents: NDArray[np.float64]  # [clusters, most terms]


def concave(curves: Curves) -> NDArray[np.bool_]:
    """Return which curves never get steeper, bool[clusters]; terms u^r with r >= 1 never do."""
    slopes = (
        np.diff(curves.share[row, :count]) / np.diff(curves.load[row, :count])
        for row, count in enumerate(curves.knots)
    )
    return np.array([bool((np.diff(slope) <= STRAIGHT).all()) for slope in slopes], np.bool_)


@kernel(inline="llvm")
def draw(curves, cluster, busy):
    """Return the dynamic power of one node in accelerators' worth, 0 to its accelerators.

    Node power is idle + (busy power - idle) / accelerators x draw. On a straight line this is
    `busy` itself, bit for bit.

    Parameters
    ----------
    curves : Curves
    cluster : int
    busy : float
        Accelerators held x utilisation, summed over the node's jobs.
    """
    drawn = busy
    if curves.bent[cluster]:
        whole = float(curves.accelerators[cluster])
        # Sums of held x utilisation may pass either end by a rounding.
        if busy <= 0.0:
            drawn = 0.0
        elif busy >= whole:
            drawn = whole
        else:
            u = busy / whole
            low = 0
            high = curves.knots[cluster] - 1
            while high - low > 1:
                middle = (low + high) // 2
                if curves.load[cluster, middle] <= u:
                    low = middle
                else:
                    high = middle
            left = curves.load[cluster, low]
            along = (u - left) / (curves.load[cluster, high] - left)
            base = curves.share[cluster, low]
            f = base + (curves.share[cluster, high] - base) * along
            for term in range(curves.terms[cluster]):
                f -= curves.weights[cluster, term] * math.pow(u, curves.exponents[cluster, term])
            drawn = min(max(f, 0.0), 1.0) * whole
    return drawn
