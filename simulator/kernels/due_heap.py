"""Nodes in order of a due time, with removal: a binary heap that knows where each node stands.

Each cluster's heap lies in its own slice of one array, from `base` on, so that a fleet needs one
array however many clusters it has. Of nodes due at one time the one with the highest number comes
first: placement prefers the lowest, so those go to sleep last and are woken first.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.tables import NONE


@kernel(inline="llvm")
def before(due_ms, one, other):
    """Return whether a node is due before another."""
    return due_ms[one] < due_ms[other] or (due_ms[one] == due_ms[other] and one > other)


@kernel
def push(heap, place, due_ms, base, size, node):
    """Add a node to a heap of `size` nodes; the heap holds size + 1 afterwards.

    Parameters
    ----------
    heap : int32[nodes]
        Nodes in heap order, from `base` on.
    place : int32[nodes]
        Where each node stands in its heap, NONE for a node in none.
    due_ms : int64[nodes]
    """
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if not before(due_ms, node, heap[base + parent]):
            break
        heap[base + at] = heap[base + parent]
        place[heap[base + at]] = at
        at = parent
    heap[base + at] = node
    place[node] = at


@kernel
def remove(heap, place, due_ms, base, size, node):
    """Take a node out of a heap of `size` nodes; the heap holds size - 1 afterwards."""
    at = place[node]
    place[node] = NONE
    last = size - 1
    if at != last:
        moved = heap[base + last]
        child = 2 * at + 1
        while child < last:
            if child + 1 < last and before(due_ms, heap[base + child + 1], heap[base + child]):
                child += 1
            if not before(due_ms, heap[base + child], moved):
                break
            heap[base + at] = heap[base + child]
            place[heap[base + at]] = at
            at = child
            child = 2 * at + 1
        while at > 0:
            parent = (at - 1) >> 1
            if not before(due_ms, moved, heap[base + parent]):
                break
            heap[base + at] = heap[base + parent]
            place[heap[base + at]] = at
            at = parent
        heap[base + at] = moved
        place[moved] = at
