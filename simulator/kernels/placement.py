"""Where a gang can be placed, where its rule places it, and the bookkeeping of a move."""

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.tables import (
    CLOSED_EMPTY,
    DIRTY,
    FIRST_FIT,
    FIRST_NODE,
    FREE,
    LISTED,
    NEXT_WHOLE,
    NODE_DIRTY,
    NODE_FREE,
    NODE_WHOLE,
    NODES,
    NONE,
    RELISTED,
    RULE,
    SPREAD,
    TREE_BASE,
    TREE_SHAPE,
    TREE_WORDS,
    WHOLE,
    WITH_FREE,
)


@kernel(inline="always")
def fits(clusters, cluster, gpus):
    """Return whether a gang of `gpus` accelerators can be placed in a cluster now."""
    whole = clusters[cluster, WHOLE]
    count = gpus // whole
    rest = gpus - count * whole
    full = clusters[cluster, WITH_FREE + whole]
    possible = gpus <= clusters[cluster, FREE] and full >= count
    if possible and rest > 0 and full == count:
        possible = False
        for free in range(rest, whole):
            if clusters[cluster, WITH_FREE + free] > 0:
                possible = True
                break
    return possible


@kernel(inline="llvm")
def choose(tables, cluster, gpus):
    """Return the node on which the cluster's rule places `gpus` <= one node's accelerators.

    Pack takes the node with the fewest free that suffice, spread the one with the most, first
    fit the lowest node that suffices; among equals the lowest. Some node must suffice.
    """
    clusters = tables.clusters
    whole = clusters[cluster, WHOLE]
    rule = clusters[cluster, RULE]
    best = clusters[cluster, NODES]
    for step in range(whole - gpus + 1):
        free = whole - step if rule == SPREAD else gpus + step
        if clusters[cluster, WITH_FREE + free] > 0:
            base = clusters[cluster, TREE_BASE] + free * clusters[cluster, TREE_WORDS]
            best = min(best, node_index.lowest(tables.words, base, clusters, cluster, TREE_SHAPE))
            if rule != FIRST_FIT:
                break
    return clusters[cluster, FIRST_NODE] + best


@kernel
def choose_beside(tables, cluster, count, gpus):
    """Return the node that `choose` would return once `count` whole nodes were taken."""
    clusters = tables.clusters
    nodes = tables.nodes
    whole = clusters[cluster, WHOLE]
    base = tables.clusters[cluster, TREE_BASE] + whole * clusters[cluster, TREE_WORDS]
    first = clusters[cluster, FIRST_NODE]
    last = NONE
    for _ in range(count):
        member = node_index.lowest(tables.words, base, clusters, cluster, TREE_SHAPE)
        node_index.remove(tables.words, base, clusters, cluster, TREE_SHAPE, member)
        nodes[first + member, NEXT_WHOLE] = last  # of no use while a node is free
        last = first + member
    clusters[cluster, WITH_FREE + whole] -= count
    chosen = choose(tables, cluster, gpus)
    clusters[cluster, WITH_FREE + whole] += count
    while last >= 0:
        node_index.insert(tables.words, base, clusters, cluster, TREE_SHAPE, last - first)
        last = nodes[last, NEXT_WHOLE]
    return chosen


@kernel(inline="llvm")
def move(tables, cluster, node, gpus):
    """Change a node's free accelerators by `gpus`, in the tables and in the index."""
    clusters = tables.clusters
    nodes = tables.nodes
    before = nodes[node, NODE_FREE]
    after = before + gpus
    if nodes[node, LISTED] == 1:
        base = clusters[cluster, TREE_BASE]
        size = clusters[cluster, TREE_WORDS]
        member = node - clusters[cluster, FIRST_NODE]
        node_index.remove(tables.words, base + before * size, clusters, cluster, TREE_SHAPE, member)
        node_index.insert(tables.words, base + after * size, clusters, cluster, TREE_SHAPE, member)
        clusters[cluster, WITH_FREE + before] -= 1
        clusters[cluster, WITH_FREE + after] += 1
        clusters[cluster, FREE] += gpus
    elif after == nodes[node, NODE_WHOLE]:
        clusters[cluster, CLOSED_EMPTY] += 1
    nodes[node, NODE_FREE] = after
    touch(tables, node)


@kernel(inline="llvm")
def touch(tables, node):
    """Note that a node changed at this instant."""
    if tables.nodes[node, NODE_DIRTY] == 0:
        tables.nodes[node, NODE_DIRTY] = 1
        tables.dirty_nodes[tables.clock[DIRTY]] = node
        tables.clock[DIRTY] += 1


@kernel(inline="llvm")
def enlist(tables, cluster, node):
    """Let placement choose a node from now on."""
    clusters = tables.clusters
    free = tables.nodes[node, NODE_FREE]
    base = clusters[cluster, TREE_BASE] + free * clusters[cluster, TREE_WORDS]
    member = node - clusters[cluster, FIRST_NODE]
    node_index.insert(tables.words, base, clusters, cluster, TREE_SHAPE, member)
    clusters[cluster, WITH_FREE + free] += 1
    clusters[cluster, FREE] += free
    clusters[cluster, RELISTED] += 1
    tables.nodes[node, LISTED] = 1


@kernel(inline="always")
def reopen(tables, cluster, node):
    """Let placement choose a closed node again."""
    if tables.nodes[node, NODE_FREE] == tables.nodes[node, NODE_WHOLE]:
        tables.clusters[cluster, CLOSED_EMPTY] -= 1
    enlist(tables, cluster, node)


@kernel(inline="always")
def shut(tables, cluster, node):
    """Close an awake node: placement chooses it no longer, and it counts as closed when idle."""
    unlist(tables, cluster, node)
    if tables.nodes[node, NODE_FREE] == tables.nodes[node, NODE_WHOLE]:
        tables.clusters[cluster, CLOSED_EMPTY] += 1


@kernel(inline="llvm")
def unlist(tables, cluster, node):
    """Let placement choose a node no longer; what it holds goes on."""
    clusters = tables.clusters
    free = tables.nodes[node, NODE_FREE]
    base = clusters[cluster, TREE_BASE] + free * clusters[cluster, TREE_WORDS]
    member = node - clusters[cluster, FIRST_NODE]
    node_index.remove(tables.words, base, clusters, cluster, TREE_SHAPE, member)
    clusters[cluster, WITH_FREE + free] -= 1
    clusters[cluster, FREE] -= free
    clusters[cluster, RELISTED] += 1
    tables.nodes[node, LISTED] = 0
