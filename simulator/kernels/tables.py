"""The tables that the engine works on, and the names of their columns.

State stands in few, wide tables, one row for each cluster, node and running job, so that what is
used together lies together.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import node_index

# Why `advance` returned.
UNTIL, LOG_FULL, IDLE = 0, 1, 2

# Placement rules, in the order of `simulator.fleet.PLACEMENTS`.
PACK, FIRST_FIT, SPREAD = 0, 1, 2

# States of a node in the change log; what a node of this version can be.
AWAKE = 0

# The clock: now, next row of the job table, and counts.
NOW_MS, NEXT_JOB, RUNNING, LOG_ROWS, DIRTY, PENDING, STARTED, FREE_SLOT, COMPLETED = range(9)
OVERRUN = 9  # set when a job ends later than the agenda can hold
CLOCK_SIZE = 10

# Columns of the table of clusters. From WITH_FREE on: nodes by free accelerators, 0 to WHOLE.
(
    FIRST_NODE,
    NODES,
    WHOLE,
    RULE,
    FREE,
    BLOCKED,
    TREE_BASE,
    TREE_WORDS,
) = range(8)
TREE_SHAPE = 8
WITH_FREE = TREE_SHAPE + node_index.LEVELS + 1

# Columns of the table of routes, one queue for each priority of a route.
WAITING, ROUTE_FIRST, ROUTE_LAST, ROUTE_BLOCKED, QUEUE_BASE = range(5)
QUEUE_SHAPE = 5
ROUTE_SIZE = QUEUE_SHAPE + node_index.LEVELS + 1

# Columns of the table of nodes.
NODE_FREE, NODE_WHOLE, NEXT_WHOLE, NODE_DIRTY = range(4)
NODE_SIZE = 4

# Columns of the table of running slots.
WHOLE_HEAD, WHOLE_COUNT, PART_NODE, PART_GPUS, CLUSTER, NEXT_SLOT = range(6)
SLOT_SIZE = 6

NONE = -1
FOREVER_MS = np.iinfo(np.int64).max


class Jobs(NamedTuple):
    """Columns of the job table, [jobs] unless said; the last five are written by the loop."""

    submit_ms: NDArray[np.int64]
    duration_ms: NDArray[np.float64]
    gpus: NDArray[np.int32]
    utilisation: NDArray[np.float64]
    level: NDArray[np.int32]  # rank of the priority, 0 is served first
    workload: NDArray[np.int16]
    route: NDArray[np.int16]  # NONE for a job that no cluster could ever hold
    speed: NDArray[np.float64]  # [workloads, clusters]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    cluster: NDArray[np.int16]
    first_node: NDArray[np.int32]
    next_waiting: NDArray[np.int32]


class Tables(NamedTuple):
    """The state beside the jobs."""

    clock: NDArray[np.int64]
    clusters: NDArray[np.int64]  # [clusters, WITH_FREE + most accelerators + 1]
    routes: NDArray[np.int64]  # [routes, ROUTE_SIZE]
    route_cluster: NDArray[np.int64]  # clusters in order of preference, route after route
    heads: NDArray[np.int64]  # [routes, levels] first job waiting
    tails: NDArray[np.int64]  # [routes, levels] last job waiting
    queues: NDArray[np.int64]  # trees of the levels where somebody waits, one for each route
    nodes: NDArray[np.int32]  # [nodes, NODE_SIZE]
    busy: NDArray[np.float64]  # [nodes] accelerators held x utilisation
    words: NDArray[np.int64]  # the candidate index: trees of all clusters and free counts
    dirty_nodes: NDArray[np.int32]  # [nodes] what changed at this instant
    slots: NDArray[np.int32]  # [slots, SLOT_SIZE]
    slot_utilisation: NDArray[np.float64]
    agenda: NDArray[np.int64]  # heap of end << bits | slot
    bits: int


class Log(NamedTuple):
    """Change log: one row for each node that changed at an instant, [rows]."""

    time_ms: NDArray[np.int64]
    node: NDArray[np.int32]
    state: NDArray[np.int8]
    held: NDArray[np.int32]
    busy: NDArray[np.float64]
