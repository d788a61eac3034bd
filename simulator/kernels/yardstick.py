"""A bare loop that only starts and ends jobs: the physical limit the engine is measured against.

FIFO over one cluster, first fit over its nodes with a "lowest candidate" hint for each size. No
energy, no log, no priorities, no routes. It follows the engine's rules otherwise, so the two must
start every job at the same instant.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel

NONE = -1


class Loop(NamedTuple):
    """What the loop works on: J jobs, N nodes, G accelerators of a node."""

    free: NDArray[np.int32]  # [N] free accelerators
    hint: NDArray[np.int64]  # [G + 1] no node below has so many free
    next_whole: NDArray[np.int32]  # [N] next node of the same gang
    heap_ms: NDArray[np.int64]  # [J] coming completions
    heap_job: NDArray[np.int32]  # [J]
    part_node: NDArray[np.int32]  # [J] the node that a job holds in part
    chain: NDArray[np.int32]  # [J] first of the nodes that it holds whole
    start_ms: NDArray[np.int64]  # [J] written


def empty_loop(jobs, nodes, accelerators):
    """Return the arrays for so many jobs on so many free nodes."""
    return Loop(
        free=np.full(nodes, accelerators, np.int32),
        hint=np.zeros(accelerators + 1, np.int64),
        next_whole=np.empty(nodes, np.int32),
        heap_ms=np.empty(jobs, np.int64),
        heap_job=np.empty(jobs, np.int32),
        part_node=np.empty(jobs, np.int32),
        chain=np.empty(jobs, np.int32),
        start_ms=np.full(jobs, -1, np.int64),
    )


@kernel
def first_fit_loop(submit_ms, duration_ms, gpus, accelerators, loop):
    """Run every job to its end and return how many started and how many ended.

    Parameters
    ----------
    submit_ms : int64[jobs]
        Submit times, non-decreasing. [ms]
    duration_ms : int64[jobs]
        Run times, at least 1. [ms]
    gpus : int32[jobs]
        Accelerators of each job; none larger than the cluster.
    accelerators : int
        Accelerators of one node.
    loop : Loop
        As made by `empty_loop`.
    """
    jobs = len(submit_ms)
    free, hint, next_whole, heap_ms, heap_job, part_node, chain, start_ms = loop
    running = 0
    arrived = 0
    head = 0
    ended = 0
    all_free = len(free) * accelerators
    while ended < jobs:
        if running > 0 and (arrived == jobs or heap_ms[0] <= submit_ms[arrived]):
            now = heap_ms[0]
        else:
            now = submit_ms[arrived]
        while running > 0 and heap_ms[0] == now:
            job = heap_job[0]
            running -= 1
            sift_down(heap_ms, heap_job, running)
            ended += 1
            all_free += gpus[job]
            node = chain[job]
            while node != NONE:
                free_node(free, hint, node, accelerators)
                node = next_whole[node]
            if part_node[job] != NONE:
                free_node(free, hint, part_node[job], part_of(gpus[job], accelerators))
        while arrived < jobs and submit_ms[arrived] == now:
            arrived += 1
        while head < arrived and gpus[head] <= all_free:
            if not place(head, gpus[head], accelerators, free, hint, chain, part_node, next_whole):
                break
            all_free -= gpus[head]
            start_ms[head] = now
            sift_up(heap_ms, heap_job, running, now + duration_ms[head], head)
            running += 1
            head += 1
    return head, ended


@kernel(inline="llvm")
def part_of(gpus, accelerators):
    """Return what a job holds on its one partly held node."""
    return gpus if gpus <= accelerators else gpus % accelerators


@kernel
def place(job, gpus, accelerators, free, hint, chain, part_node, next_whole):
    """Place a gang on the lowest nodes that fit, all or none; return whether it fitted."""
    whole = 0 if gpus <= accelerators else gpus // accelerators
    part = part_of(gpus, accelerators)
    head = NONE
    previous = NONE
    part_node[job] = NONE
    for _ in range(whole):
        node = lowest(free, hint, accelerators)
        if node == NONE:
            take_back(free, hint, head, next_whole, accelerators)
            return False
        free[node] = 0
        next_whole[node] = NONE
        if previous == NONE:
            head = node
        else:
            next_whole[previous] = node
        previous = node
    if part > 0:
        node = lowest(free, hint, part)
        if node == NONE:
            take_back(free, hint, head, next_whole, accelerators)
            return False
        free[node] -= part
        part_node[job] = node
    chain[job] = head
    return True


@kernel(inline="llvm")
def lowest(free, hint, gpus):
    """Return the lowest node with so many free, NONE if there is none."""
    node = hint[gpus]
    while node < len(free) and free[node] < gpus:
        node += 1
    hint[gpus] = node
    return node if node < len(free) else NONE


@kernel(inline="llvm")
def free_node(free, hint, node, gpus):
    """Free `gpus` accelerators of a node."""
    free[node] += gpus
    for size in range(1, free[node] + 1):
        hint[size] = min(hint[size], node)


@kernel
def take_back(free, hint, node, next_whole, accelerators):
    """Free the whole nodes of a gang that did not fit after all."""
    while node != NONE:
        free_node(free, hint, node, accelerators)
        node = next_whole[node]


@kernel(inline="always")
def sift_up(heap_ms, heap_job, size, at_ms, job):
    """Add a completion to a heap of `size`."""
    at = size
    while at > 0 and heap_ms[(at - 1) >> 1] > at_ms:
        heap_ms[at] = heap_ms[(at - 1) >> 1]
        heap_job[at] = heap_job[(at - 1) >> 1]
        at = (at - 1) >> 1
    heap_ms[at] = at_ms
    heap_job[at] = job


@kernel(inline="always")
def sift_down(heap_ms, heap_job, size):
    """Remove the first completion; the heap holds `size` afterwards."""
    at_ms = heap_ms[size]
    job = heap_job[size]
    at = 0
    child = 1
    while child < size:
        if child + 1 < size and heap_ms[child + 1] < heap_ms[child]:
            child += 1
        if heap_ms[child] >= at_ms:
            break
        heap_ms[at] = heap_ms[child]
        heap_job[at] = heap_job[child]
        at = child
        child = 2 * at + 1
    heap_ms[at] = at_ms
    heap_job[at] = job
