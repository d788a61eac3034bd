"""The stack of a cluster's open sleepers: the one to wake first on top.

The last to come to rest lies on top of those at rest. Whoever still enters its first state lies
above them, because all take the same time for it.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.tables import (
    ABOVE,
    BELOW,
    FIRST_ASLEEP,
    IDLE_SINCE_MS,
    LAST_ASLEEP,
    LAST_RESTING,
    NOW_MS,
    RESTS_MS,
    SLEEPING,
    TURN,
)


@kernel(inline="llvm")
def insert_above(tables, sleepers, cluster, node, below):
    """Put a node into its cluster's stack of sleepers, right above `below`, NONE for the bottom."""
    rests = sleepers.rests
    clusters = tables.clusters
    if below >= 0:
        above = rests[below, ABOVE]
        rests[below, ABOVE] = node
    else:
        above = clusters[cluster, FIRST_ASLEEP]
        clusters[cluster, FIRST_ASLEEP] = node
    rests[node, BELOW] = below
    rests[node, ABOVE] = above
    if above >= 0:
        rests[above, BELOW] = node
    else:
        clusters[cluster, LAST_ASLEEP] = node
    clusters[cluster, SLEEPING] += 1


@kernel(inline="llvm")
def take_sleeper(tables, sleepers, cluster, node):
    """Take a node out of the stack of sleepers."""
    rests = sleepers.rests
    clusters = tables.clusters
    below = rests[node, BELOW]
    above = rests[node, ABOVE]
    if below >= 0:
        rests[below, ABOVE] = above
    else:
        clusters[cluster, FIRST_ASLEEP] = above
    if above >= 0:
        rests[above, BELOW] = below
    else:
        clusters[cluster, LAST_ASLEEP] = below
    if clusters[cluster, LAST_RESTING] == node:
        clusters[cluster, LAST_RESTING] = below
    clusters[cluster, SLEEPING] -= 1


@kernel(inline="llvm")
def next_to_wake(tables, sleepers, cluster):
    """Return the sleeper to wake: the topmost that enters its first state no longer, else the top.

    Sleepers come to rest from the bottom of the stack upwards, so the search goes on where it
    ended last.
    """
    clusters = tables.clusters
    rests = sleepers.rests
    now = tables.clock[NOW_MS]
    resting = clusters[cluster, LAST_RESTING]
    above = rests[resting, ABOVE] if resting >= 0 else clusters[cluster, FIRST_ASLEEP]
    while above >= 0 and sleepers.moments_ms[above, RESTS_MS] <= now:
        resting = above
        above = rests[above, ABOVE]
    clusters[cluster, LAST_RESTING] = resting
    return resting if resting >= 0 else clusters[cluster, LAST_ASLEEP]


@kernel(inline="llvm")
def lies_above(sleepers, node, other):
    """Return whether a sleeper lies above another: it came to rest later, or fell idle later."""
    moments_ms = sleepers.moments_ms
    for column in (RESTS_MS, TURN, IDLE_SINCE_MS):
        if moments_ms[node, column] != moments_ms[other, column]:
            return moments_ms[node, column] > moments_ms[other, column]
    return node < other
