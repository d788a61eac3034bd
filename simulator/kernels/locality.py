"""Placement by racks: which racks a gang takes, which of their nodes, and how many it spans.

Racks are nodes of a cluster in order of their number. What is free in each is kept as jobs come and
go, and counted anew from the candidate index once nodes were offered to placement or taken from it,
so that sleep, failures and commands need not know of racks.
"""

import numpy as np

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.placement import choose, choose_beside
from simulator.kernels.tables import (
    FIRST_NODE,
    FOREVER_MS,
    LISTED,
    LOCALITY,
    NODE_FREE,
    NODES,
    NONE,
    RELISTED,
    RULE,
    TREE_BASE,
    TREE_SHAPE,
    TREE_WORDS,
    WHOLE,
    WITH_FREE,
)

# Columns of the table of racks: free accelerators; whether the gang takes it; whether it was
# counted; the next rack with as many empty nodes; then its nodes by what is free on them.
FREE_GPUS, TAKEN, COUNTED, FOLLOWING, BY_FREE = range(5)


@kernel(inline="llvm")
def settle_nodes(tables, chosen, racks, cluster, gpus, known):
    """Choose the nodes of a gang unless they are known; return how many racks they span.

    They stand in `chosen`, the whole ones first, the one for the rest last. Returns 0, and chooses
    nothing, where the cluster has no racks; nor is a single node chosen by another rule.
    """
    spanned = np.int64(0)
    if racks is not None and racks.nodes[cluster] > 0:
        if gpus <= tables.clusters[cluster, WHOLE]:
            spanned = np.int64(1)
            if not known and tables.clusters[cluster, RULE] == LOCALITY:
                choose_local(tables, racks, chosen, cluster, gpus)
        else:
            if not known:
                choose_gang(tables, racks, chosen, cluster, gpus)
            spanned = racks_spanned(tables, racks, chosen, cluster, gpus)
    return spanned


@kernel(inline="llvm")
def are_chosen(tables, racks, cluster, gpus):
    """Return whether `settle_nodes` chooses the nodes of a gang, and not the rule as it starts."""
    chosen = False
    if racks is not None and racks.nodes[cluster] > 0:
        local = tables.clusters[cluster, RULE] == LOCALITY
        chosen = local or gpus > tables.clusters[cluster, WHOLE]
    return chosen


@kernel(inline="llvm")
def follow_move(tables, racks, cluster, node, gpus):
    """Keep what is free in the rack of a node, of which `gpus` accelerators more are free now."""
    if racks is not None and racks.nodes[cluster] > 0 and followed(tables, cluster, node):
        member = node - tables.clusters[cluster, FIRST_NODE]
        row = racks.first[cluster] + member // racks.nodes[cluster]
        after = np.int64(tables.nodes[node, NODE_FREE])
        racks.table[row, BY_FREE + after] += 1
        racks.table[row, BY_FREE + after - gpus] -= 1
        racks.table[row, FREE_GPUS] += gpus


@kernel(inline="llvm")
def followed(tables, cluster, node):
    """Return whether a node counts in what is kept of racks."""
    return tables.clusters[cluster, RULE] == LOCALITY and tables.nodes[node, LISTED] == 1


@kernel(inline="llvm")
def speed_across(racks, cluster, spanned):
    """Return the relative speed of a gang that spans so many racks."""
    speed = 1.0
    if racks is not None and spanned > 1:
        speed = racks.speed[cluster]
    return speed


@kernel(inline="llvm")
def speed_if_placed(tables, chosen, racks, cluster, gpus):
    """Return the relative speed at which a gang would run if it were placed now."""
    speed = 1.0
    large = gpus > tables.clusters[cluster, WHOLE]
    if racks is not None and large and racks.speed[cluster] != 1.0:
        spanned = settle_nodes(tables, chosen, racks, cluster, gpus, False)
        speed = speed_across(racks, cluster, spanned)
    return speed


@kernel(inline="llvm")
def node_for_rest(tables, chosen, racks, cluster, count, rest):
    """Return the node for the rest of a gang that takes `count` whole nodes too."""
    local = False
    if racks is not None:
        local = tables.clusters[cluster, RULE] == LOCALITY and racks.nodes[cluster] > 0
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
    """Note how many racks a job spans; none are noted already."""
    if racks is not None and spanned > 0:
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
    if racks.counted[cluster] != tables.clusters[cluster, RELISTED]:
        count_free(tables, racks, cluster)
    last = tightest(racks, cluster, whole, left, rest, settled)
    if last < 0:
        level = sort_racks(racks, cluster, whole)
        while last < 0:
            while racks.with_empty[level] < 0:
                level -= 1
            if level >= left:
                last = tightest(racks, cluster, whole, left, rest, settled)
            if last < 0:
                rack = racks.with_empty[level]
                racks.with_empty[level] = table[base + rack, FOLLOWING]
                table[base + rack, TAKEN] = 1
                take_empty(tables, racks, chosen, cluster, rack, found, level)
                found += level
                left -= level
                settled = settled or has_partly(table, base + rack, rest, whole)
        table[base + last, TAKEN] = 1
    spare = take_empty(tables, racks, chosen, cluster, last, found, left)
    if rest > 0:
        node = NONE
        if table[base + last, TAKEN] == 1:
            for rack in range(racks.first[cluster + 1] - base):
                if table[base + rack, TAKEN] == 1:
                    node = fuller(tables, racks, cluster, rack, rest, node)
        else:
            node = fuller(tables, racks, cluster, last, rest, node)
        chosen[found + left] = tables.clusters[cluster, FIRST_NODE] + (node if node >= 0 else spare)
    if table[base + last, TAKEN] == 1:
        for rack in range(base, racks.first[cluster + 1]):
            table[rack, TAKEN] = 0


@kernel
def count_free(tables, racks, cluster):
    """Count what is free in each rack of a cluster."""
    table = racks.table
    clusters = tables.clusters
    base = racks.first[cluster]
    count = racks.first[cluster + 1] - base
    size = racks.nodes[cluster]
    for rack in range(base, base + count):
        table[rack, FREE_GPUS] = 0
        for free in range(clusters[cluster, WHOLE] + 1):
            table[rack, BY_FREE + free] = 0
    for free in range(clusters[cluster, WHOLE] + 1):
        members = clusters[cluster, WITH_FREE + free]
        if members < count:
            node = NONE
            for _ in range(members):
                node = member_above(tables, cluster, free, node)
                table[base + node // size, BY_FREE + free] += 1
                table[base + node // size, FREE_GPUS] += free
        else:
            for rack in range(count):
                end = min((rack + 1) * size, clusters[cluster, NODES])
                found = members_between(tables, cluster, free, rack * size, end)
                table[base + rack, BY_FREE + free] = found
                table[base + rack, FREE_GPUS] += found * free
    racks.counted[cluster] = clusters[cluster, RELISTED]


@kernel
def tightest(racks, cluster, whole, count, rest, settled):
    """Return the rack with the fewest free accelerators that holds a gang whole, NONE if none does.

    Parameters
    ----------
    whole : int
        Accelerators of a node.
    count, rest : int
        Whole nodes, and accelerators of one more node.
    settled : bool
        Whether there is a place for the rest already.
    """
    table = racks.table
    base = racks.first[cluster]
    best = NONE
    least = np.int64(FOREVER_MS)  # more than all
    for row in range(base, racks.first[cluster + 1]):
        if table[row, FREE_GPUS] >= least or table[row, TAKEN] == 1:
            continue
        empty = table[row, BY_FREE + whole]
        if empty > count or (empty == count and (settled or has_partly(table, row, rest, whole))):
            best = np.int64(row - base)
            least = table[row, FREE_GPUS]
    return best


@kernel(inline="llvm")
def has_partly(table, row, rest, whole):
    """Return whether a rack has a partly held node with so many accelerators free."""
    found = False
    for free in range(rest, whole):
        if table[row, BY_FREE + free] > 0:
            found = True
            break
    return found


@kernel
def sort_racks(racks, cluster, whole):
    """List the racks by how many empty nodes they have, the lowest first; return the most."""
    table = racks.table
    base = racks.first[cluster]
    size = racks.nodes[cluster]
    for empty in range(size + 1):
        racks.with_empty[empty] = NONE
    for rack in range(racks.first[cluster + 1] - base - 1, -1, -1):
        empty = table[base + rack, BY_FREE + whole]
        table[base + rack, FOLLOWING] = racks.with_empty[empty]
        racks.with_empty[empty] = rack
    return size


@kernel
def take_empty(tables, racks, chosen, cluster, rack, at, count):
    """Choose the `count` lowest empty nodes of a rack; return the next one, as far as there is."""
    whole = tables.clusters[cluster, WHOLE]
    first = tables.clusters[cluster, FIRST_NODE]
    node = NONE
    if tables.clusters[cluster, WITH_FREE + whole] > 0:
        node = member_above(tables, cluster, whole, rack * racks.nodes[cluster] - 1)
        for k in range(count):
            chosen[at + k] = first + node
            node = member_above(tables, cluster, whole, node)
    return node


@kernel(inline="llvm")
def fuller(tables, racks, cluster, rack, rest, best):
    """Return the partly held node of a rack that suffices and has fewer free than another, else it.

    The one with the fewest free, the lowest of equals; NONE has more than all.
    """
    row = racks.first[cluster] + rack
    limit = tables.clusters[cluster, WHOLE]
    if best >= 0:
        limit = np.int64(tables.nodes[tables.clusters[cluster, FIRST_NODE] + best, NODE_FREE])
    for free in range(rest, limit):
        if racks.table[row, BY_FREE + free] > 0:
            best = member_above(tables, cluster, free, rack * racks.nodes[cluster] - 1)
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
