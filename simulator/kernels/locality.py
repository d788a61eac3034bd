"""Placement by racks: which racks a gang takes, which of their nodes, and how many it spans.

Racks are nodes of a cluster in order of their number. What is free in each is counted from the
candidate index when a gang is placed, word by word or member by member, so that nothing about
racks must be kept while nodes come and go, and a run without racks pays nothing.
"""

import numpy as np

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.placement import choose, choose_beside
from simulator.kernels.tables import (
    FIRST_NODE,
    LOCALITY,
    NODES,
    NONE,
    RULE,
    TREE_BASE,
    TREE_SHAPE,
    TREE_WORDS,
    WHOLE,
    WITH_FREE,
)

# Columns of the table of racks: empty nodes; free accelerators; most that is free on a node which
# is partly held; the next rack with as many empty nodes; whether the gang takes it; whether it was
# counted.
EMPTY, FREE_GPUS, PARTLY, FOLLOWING, TAKEN, COUNTED = range(6)
RACK_SIZE = 6


@kernel(inline="llvm")
def settle_nodes(tables, chosen, racks, cluster, gpus, known):
    """Choose the nodes of a gang unless they are known; return how many racks they span.

    They stand in `chosen`, the whole ones first, the one for the rest last. Returns 0, and chooses
    nothing, where the cluster has no racks.
    """
    spanned = np.int64(0)
    if racks is not None:
        if racks.nodes[cluster] > 0:
            if not known:
                choose_gang(tables, racks, chosen, cluster, gpus)
            spanned = racks_spanned(tables, racks, chosen, cluster, gpus)
    return spanned


@kernel(inline="llvm")
def speed_across(racks, cluster, spanned):
    """Return the relative speed of a gang that spans so many racks."""
    speed = 1.0
    if racks is not None:
        if spanned > 1:
            speed = racks.speed[cluster]
    return speed


@kernel(inline="llvm")
def speed_if_placed(tables, chosen, racks, cluster, gpus):
    """Return the relative speed at which a gang would run if it were placed now."""
    speed = 1.0
    if racks is not None:
        if racks.speed[cluster] != 1.0 and gpus > tables.clusters[cluster, WHOLE]:
            spanned = settle_nodes(tables, chosen, racks, cluster, gpus, False)
            speed = speed_across(racks, cluster, spanned)
    return speed


@kernel(inline="llvm")
def node_for_rest(tables, chosen, racks, cluster, count, rest):
    """Return the node for the rest of a gang that takes `count` whole nodes too."""
    local = False
    if racks is not None:
        local = tables.clusters[cluster, RULE] == LOCALITY
        if local:
            gpus = count * tables.clusters[cluster, WHOLE] + rest
            choose_local(tables, racks, chosen, cluster, gpus)
    if local:
        node = np.int64(chosen[count])
    elif count > 0:
        node = np.int64(choose_beside(tables, cluster, count, rest))
    else:
        node = np.int64(choose(tables, cluster, rest))
    return node


@kernel(inline="llvm")
def note_racks(racks, job, spanned):
    """Note how many racks a job spans."""
    if racks is not None:
        racks.spanned[job] = spanned


@kernel
def racks_spanned(tables, racks, chosen, cluster, gpus):
    """Return in how many racks the chosen nodes of a gang lie."""
    table = racks.table
    base = racks.first[cluster]
    size = racks.nodes[cluster]
    first = tables.clusters[cluster, FIRST_NODE]
    taken = -(-gpus // tables.clusters[cluster, WHOLE])
    spanned = np.int64(0)
    for at in range(taken):
        rack = base + (chosen[at] - first) // size
        spanned += 1 - table[rack, COUNTED]
        table[rack, COUNTED] = 1
    for at in range(taken):
        table[base + (chosen[at] - first) // size, COUNTED] = 0
    return spanned


@kernel
def choose_gang(tables, racks, chosen, cluster, gpus):
    """Choose the nodes of a gang that fits by the rule of its cluster."""
    clusters = tables.clusters
    if clusters[cluster, RULE] == LOCALITY:
        choose_local(tables, racks, chosen, cluster, gpus)
        return
    whole = clusters[cluster, WHOLE]
    count = gpus // whole
    rest = gpus - count * whole
    node = NONE
    for at in range(count):
        node = member_above(tables, cluster, whole, node)
        chosen[at] = clusters[cluster, FIRST_NODE] + node
    if rest > 0:
        chosen[count] = choose_beside(tables, cluster, count, rest)


@kernel
def choose_local(tables, racks, chosen, cluster, gpus):
    """Choose the nodes of a gang that fits so that it spans the fewest racks.

    If one rack holds what is left of it, that is the one with the fewest free accelerators; else
    it takes all empty nodes of the rack with the most. Once a rack that it takes has a partly held
    node for the rest, the last one need only hold whole nodes.
    """
    table = racks.table
    base = racks.first[cluster]
    whole = tables.clusters[cluster, WHOLE]
    left = gpus // whole
    rest = gpus - left * whole
    found = np.int64(0)
    settled = rest == 0
    count_free(tables, racks, cluster)
    last = tightest(racks, cluster, left, rest, settled)
    if last < 0:
        level = sort_racks(racks, cluster)
        while last < 0:
            while racks.with_empty[level] < 0:
                level -= 1
            if level >= left:
                last = tightest(racks, cluster, left, rest, settled)
            if last < 0:
                rack = racks.with_empty[level]
                racks.with_empty[level] = table[base + rack, FOLLOWING]
                take_empty(tables, racks, chosen, cluster, rack, found, level)
                found += level
                left -= level
                settled = settled or table[base + rack, PARTLY] >= rest
    spare = take_empty(tables, racks, chosen, cluster, last, found, left)
    if rest > 0:
        node = fullest(tables, racks, cluster, rest)
        chosen[found + left] = tables.clusters[cluster, FIRST_NODE] + (node if node >= 0 else spare)


@kernel
def count_free(tables, racks, cluster):
    """Count what is free in each rack of a cluster."""
    table = racks.table
    clusters = tables.clusters
    base = racks.first[cluster]
    count = racks.first[cluster + 1] - base
    size = racks.nodes[cluster]
    whole = clusters[cluster, WHOLE]
    for rack in range(base, base + count):
        for column in range(RACK_SIZE):
            table[rack, column] = 0
    for free in range(1, whole + 1):
        members = clusters[cluster, WITH_FREE + free]
        if members < count:
            node = NONE
            for _ in range(members):
                node = member_above(tables, cluster, free, node)
                note_free(table, base + node // size, free, whole, 1)
        else:
            for rack in range(count):
                end = min((rack + 1) * size, clusters[cluster, NODES])
                found = members_between(tables, cluster, free, rack * size, end)
                if found > 0:
                    note_free(table, base + rack, free, whole, found)


@kernel(inline="llvm")
def note_free(table, rack, free, whole, nodes):
    """Count nodes of a rack that have so many accelerators free; larger numbers come later."""
    table[rack, FREE_GPUS] += free * nodes
    if free == whole:
        table[rack, EMPTY] += nodes
    else:
        table[rack, PARTLY] = free


@kernel
def tightest(racks, cluster, count, rest, settled):
    """Return the rack with the fewest free accelerators that holds a gang whole, NONE if none does.

    Parameters
    ----------
    count, rest : int
        Whole nodes, and accelerators of one more node.
    settled : bool
        Whether there is a place for the rest already.
    """
    table = racks.table
    base = racks.first[cluster]
    best = NONE
    for rack in range(racks.first[cluster + 1] - base):
        row = base + rack
        empty = table[row, EMPTY]
        holds = empty > count or (empty == count and (settled or table[row, PARTLY] >= rest))
        if holds and table[row, TAKEN] == 0:
            if best < 0 or table[row, FREE_GPUS] < table[base + best, FREE_GPUS]:
                best = np.int64(rack)
    return best


@kernel
def sort_racks(racks, cluster):
    """List the racks by how many empty nodes they have, the lowest first; return the most."""
    table = racks.table
    base = racks.first[cluster]
    size = racks.nodes[cluster]
    for empty in range(size + 1):
        racks.with_empty[empty] = NONE
    for rack in range(racks.first[cluster + 1] - base - 1, -1, -1):
        empty = table[base + rack, EMPTY]
        table[base + rack, FOLLOWING] = racks.with_empty[empty]
        racks.with_empty[empty] = rack
    return size


@kernel
def take_empty(tables, racks, chosen, cluster, rack, at, count):
    """Choose the `count` lowest empty nodes of a rack; return the next one, as far as there is."""
    whole = tables.clusters[cluster, WHOLE]
    first = tables.clusters[cluster, FIRST_NODE]
    racks.table[racks.first[cluster] + rack, TAKEN] = 1
    node = NONE
    if tables.clusters[cluster, WITH_FREE + whole] > 0:
        node = member_above(tables, cluster, whole, rack * racks.nodes[cluster] - 1)
        for k in range(count):
            chosen[at + k] = first + node
            node = member_above(tables, cluster, whole, node)
    return node


@kernel
def fullest(tables, racks, cluster, rest):
    """Return the partly held node of the racks taken with the fewest free that suffice, or NONE."""
    table = racks.table
    base = racks.first[cluster]
    size = racks.nodes[cluster]
    best = NONE
    limit = tables.clusters[cluster, WHOLE]
    for rack in range(racks.first[cluster + 1] - base):
        if table[base + rack, TAKEN] == 0:
            continue
        for free in range(rest, min(limit, table[base + rack, PARTLY] + 1)):
            if tables.clusters[cluster, WITH_FREE + free] > 0:
                node = member_above(tables, cluster, free, rack * size - 1)
                if rack * size <= node < (rack + 1) * size:
                    best = node
                    limit = free
                    break
    return best


@kernel(inline="llvm")
def member_above(tables, cluster, free, member):
    """Return the lowest node above one with so many free, NONE if none is; NONE is below all.

    Some node must have so many free. Nodes count from the first of the cluster.
    """
    clusters = tables.clusters
    base = clusters[cluster, TREE_BASE] + free * clusters[cluster, TREE_WORDS]
    if member < 0:
        node = np.int64(node_index.lowest(tables.words, base, clusters, cluster, TREE_SHAPE))
    else:
        node = np.int64(
            node_index.lowest_above(tables.words, base, clusters, cluster, TREE_SHAPE, member)
        )
    return node


@kernel(inline="llvm")
def members_between(tables, cluster, free, begin, end):
    """Return how many of the nodes from `begin` to before `end` have so many free."""
    clusters = tables.clusters
    base = clusters[cluster, TREE_BASE] + free * clusters[cluster, TREE_WORDS]
    base += clusters[cluster, TREE_SHAPE + 1]
    low = begin >> node_index.WORD_SHIFT
    high = (end - 1) >> node_index.WORD_SHIFT
    count = np.int64(0)
    for at in range(low, high + 1):
        word = tables.words[base + at]
        if at == low:
            word &= ~((1 << (begin & node_index.WORD_MASK)) - 1)
        if at == high:
            word &= (2 << ((end - 1) & node_index.WORD_MASK)) - 1
        count += bits_set(word)
    return count


@kernel(inline="llvm")
def bits_set(word):
    """Return how many of the 32 bits of a word are set, by sums of ever more neighbours."""
    word -= (word >> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >> 2) & 0x33333333)
    word = (word + (word >> 4)) & 0x0F0F0F0F
    return ((word * 0x01010101) & 0xFFFFFFFF) >> 24
