"""The tables that the engine works on, and the names of their columns.

State stands in few, wide tables, one row for each cluster, node and running job, so that what is
used together lies together.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import node_index
from simulator.kernels.checkpoints import Plan
from simulator.kernels.curves import Curves
from simulator.kernels.ladder import Ladder

# Why `advance` returned.
UNTIL, LOG_FULL, IDLE, DRAWS, DECIDE = range(5)
ASSIGN = 5

# Placement rules, in the order of `simulator.registry.PLACEMENTS`.
PACK, FIRST_FIT, SPREAD, LOCALITY = 0, 1, 2, 3

# States of a node, in the change log too. A row ASLEEP says that the descent begins then, or that
# a wake-up was cancelled; what the node does from then on its ladder says.
AWAKE, ASLEEP, WAKING, ABSENT, FAILED = 0, 1, 2, 3, 4

# The clock: now, next row of the job table, and counts.
NOW_MS, NEXT_JOB, RUNNING, LOG_ROWS, DIRTY, PENDING, STARTED, FREE_SLOT, COMPLETED = range(9)
OVERRUN = 9  # set when a job ends later than the agenda can hold
CHANGED = 10  # what happened at this instant that a scheduler should hear of, see below
AWAKENING = 11  # nodes that are waking, in all clusters
LADDERS = 12  # 1 where any node may sleep, or leave
TURNS = 13  # wake-ups cancelled so far
RULED = 14  # 1 where any queue is not plainly first come, first served: backfill, quotas
FIRST_FRESH = 15  # row of the first job that was submitted at this instant
ASKING = 16  # 1 where some queue is not served in here: whoever calls `advance` must be asked
ASKED = 17  # 1 once it was asked in this pass
IN_SERVICE = 18  # nodes whose clock of failures runs
MENDING = 19  # failed nodes that are to be repaired
MOST_FAILURES = 20  # of any node so far
PIECE_ROWS = 21  # earlier pieces of jobs that are noted
ASSIGNED = 22  # 1 while arrivals of this instant are interrupted by ASSIGN
CLOCK_SIZE = 23

# What happened at an instant: nothing (0); jobs were submitted; jobs ended too; anything.
SUBMISSIONS, COMPLETIONS, ANYTHING = 1, 2, 3

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
    LADDER,  # 1 where idle nodes can fall so deep asleep that work can't start at once
    MOST_WAKING,
    KEEP_FREE,  # idle nodes that a policy keeps awake
    KEEP_AWAKE,  # nodes that a policy keeps awake, busy ones included
    OWNED,  # nodes in service
    TIMED,  # open nodes with a timer
    CLOSED_TIMED,  # closed ones
    SURPLUS_MS,  # since when more are idle than are kept, FOREVER_MS while not
    SLEEPING,  # open nodes asleep, entering or resting
    FIRST_ASLEEP,  # bottom of the stack of these
    LAST_ASLEEP,  # top of it
    LAST_RESTING,  # the topmost of it that is known not to be entering
    AWAKING,  # nodes that are waking
    LAST_WOKEN,  # top of the stack of these
    NEEDED,  # nodes that the queue needs beyond what is free
    SPARE,  # idle nodes that the queue does not need
    CLAIMED,  # idle nodes that it does: they stay awake
    SITE,
    LEVELS,  # power levels at which a job may run
    BUDGETED,  # 1 where a power budget limits it, or its site
    MAY_CHANGE,  # 1 where nodes may come into service and leave it
    CLOSED_EMPTY,  # closed nodes that hold nothing, awake or asleep
    CLOSED_ASLEEP,  # those of them that are asleep
    NAPS,  # 1 where a drawn timer leads to a state that is left at once: its nodes stay awake
    DOWN,  # failed nodes
    RELISTED,  # how often a node was offered to placement, or taken from it
) = range(34)
TREE_SHAPE = 34
WITH_FREE = TREE_SHAPE + node_index.LEVELS + 1

# Columns of the table of routes, one queue for each priority of a route.
# SOLE: 1 where the route has one cluster and no other route has it. EVEN: accelerators of a node
# where it is sole and every job takes whole nodes, else 0; then NODES_WAITED counts the nodes that
# the waiting jobs take.
(
    WAITING,
    ROUTE_FIRST,
    ROUTE_LAST,
    ROUTE_BLOCKED,
    EVEN,
    SOLE,
    NODES_WAITED,
    GPUS_WAITED,
    CURSOR_LEVEL,
    CURSOR_JOB,
    QUEUE_BASE,
    LINE_BASE,
) = range(12)
QUEUE_SHAPE = 12
ROUTE_SIZE = QUEUE_SHAPE + node_index.LEVELS + 1

# Columns of the table of nodes.
(
    NODE_FREE,
    NODE_WHOLE,
    NEXT_WHOLE,
    NODE_DIRTY,
    NODE_CLUSTER,
    NODE_STATE,
    LISTED,  # 1 where placement may choose it
    NODE_IDLE,  # 1 from the end of the instant at which it became idle, while it is awake
) = range(8)
NODE_SIZE = 8

# Columns of the table of what sleep needs to know of a node. RENEWED: 1 where it left at this
# instant and another took its place. CLOSED: 1 where it sleeps, or is failed,
# and takes no job.
LEVEL, BELOW, ABOVE, LEAVING, RENEWED, CLOSED = range(6)
REST_SIZE = 6

# Columns of the table of a node's instants: idle since; begin of its descent; when it came to rest,
# in its first state or as its wake-up was cancelled; end of entering the last state known. TURN
# orders those that came to rest at one instant: cancelled ones as they were, then those that took
# no time to enter.
IDLE_SINCE_MS, DESCENT_MS, RESTS_MS, ENTERED_MS, TURN = range(5)
MOMENTS = 5

# Columns of the table of running slots.
WHOLE_HEAD, WHOLE_COUNT, PART_NODE, PART_GPUS, CLUSTER, AT_LEVEL, NEXT_SLOT, JOB = range(8)
SLOT_SIZE = 8

# Columns of the table of queue rules, one row for each cluster: how it backfills, how many jobs
# behind the first one it looks at, where its list of expected ends begins, and how long it is. Then
# what a pass finds: what becomes of the job in turn (OPEN, HEADED: there is a reservation, SHUT),
# the job that holds the reservation, its instant, how many jobs may still be looked at, whether
# the reservation still holds, whether all who wait were refused as things stand, and how many
# nodes have something in `later`. ASKS is 1 where a policy in plain Python places the jobs.
(
    BACKFILL,
    DEPTH,
    ENDS_BASE,
    ENDS,
    LONGEST_WAKE_MS,
    TURN_OF,
    HEAD,
    SHADOW_MS,
    LEFT_TO_LOOK,
    KNOWN,
    SETTLED,
    LATER_NODES,
    ASKS,
) = range(13)
RULE_SIZE = 13
OPEN, HEADED, SHUT = range(3)

# Ways to backfill. From CONSERVATIVE on the passes are made outside `advance`; where they are
# PLACED there is no backfill, and a policy in plain Python may place each job.
PLAIN, EASY, CONSERVATIVE, PLUGIN, PLACED = range(5)

# Columns of the tables of fair share. A book: its half-life, what stands for a weight of 1, and the
# instant at which it was looked at last, with the half-lives that had begun by then and the weight
# of time there. An account: what it used, as of when so many half-lives had begun, and what it
# holds. A route: its book, how many lines take turns at its cursor, and the use of the one there.
HALF_LIFE_MS, ONE, AT_MS, EPOCH, WEIGHT = range(5)
USED, USED_EPOCH, HOLDS = range(3)
BOOK, TURNS_LEFT, CURSOR_USE = range(3)
TURN_USE, TURN_JOB = range(2)
BOOK_SIZE, ACCOUNT_SIZE, FAIR_SIZE, TURN_SIZE = 5, 3, 3, 2

# Why a job was cut short: a node failed, or it was preempted. NOBODY is preempted on some clusters.
FAILURE, RESTART, SUSPEND = np.int64(0), np.int64(1), np.int64(2)
NOBODY = 0

# Columns of work: accelerators x utilisation, and that x what the job's power level draws.
BUSY, DRAWN = range(2)

# No literals: numba would compile a kernel for each alone.
NONE = np.int64(-1)
FIRST = np.int64(0)
MORE, LESS = np.int64(1), np.int64(-1)
FOREVER_MS = np.iinfo(np.int64).max


class Jobs(NamedTuple):
    """Columns of the job table, [jobs] unless said; the last eleven are written by the loop.

    So are duration and requested time of jobs that are cut short: they say what is left to do.
    """

    submit_ms: NDArray[np.int64]
    duration_ms: NDArray[np.float64]
    gpus: NDArray[np.int32]
    utilisation: NDArray[np.float64]
    level: NDArray[np.int32]  # rank in the order of the queue, 0 is served first
    line: NDArray[np.int32]  # the same, among the ranks of its route
    requested_ms: NDArray[np.float64]  # run time that the user asked for
    workload: NDArray[np.int16]
    route: NDArray[np.int16]  # NONE for a job that no cluster could ever hold
    speed: NDArray[np.float64]  # [workloads, clusters]
    plan: Plan
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    cluster: NDArray[np.int16]
    first_node: NDArray[np.int32]
    part_node: NDArray[np.int32]  # where it shares a node, NONE if it does not
    power_level: NDArray[np.int8]  # at which it runs, 0 for its cluster's own
    held_back: NDArray[np.int8]  # 1 where a power budget alone kept it waiting
    next_waiting: NDArray[np.int32]
    previous_waiting: NDArray[np.int32]  # kept where queues have rules, else empty
    restarts: NDArray[np.int32]  # times it was cut short; empty where that can't be
    resume_ms: NDArray[np.float64]  # that its next run takes to go on from what a suspension kept,
    # NONE where it goes on from a checkpoint or from nothing; empty where nothing cuts it short


class Loads(NamedTuple):
    """The work that clusters have before them, [clusters] unless said; see `loads`.

    Without rows where nobody asks, None in plain runs.
    """

    jobs: NDArray[np.int64]  # that wait for it
    asked_ms: NDArray[np.float64]  # accelerators x requested time of these
    ends_ms: NDArray[np.float64]  # accelerators x expected end of those that run
    held: NDArray[np.int64]  # accelerators that these hold
    slot_end_ms: NDArray[np.int64]  # [slots] expected end
    wake_ms: NDArray[np.int64]  # longest that a node takes to enter a state and wake from it


class Profile(NamedTuple):
    """What is free from instant to instant, for reservations; rows by cluster, see `rows`."""

    first_row: NDArray[np.int64]  # [clusters]
    rows: NDArray[np.int64]  # [clusters] that are in use
    begin_ms: NDArray[np.int64]  # [rows] since when, in order of time
    place: NDArray[np.int32]  # [rows] which row of `free` says what is free from then on
    first_free: NDArray[np.int64]  # [clusters] where the cluster's part of `free` begins
    free: NDArray[np.int16]  # [rows x nodes] of a cluster, one after another
    least: NDArray[np.int16]  # [nodes] least that is free over an interval


class Racks(NamedTuple):
    """Racks of nodes, [clusters] unless said; 0 nodes where a cluster has none."""

    nodes: NDArray[np.int64]  # nodes of one rack, 0 where a cluster has none
    speed: NDArray[np.float64]  # of gangs that span more than one
    first: NDArray[np.int64]  # [clusters + 1] where the cluster's racks begin in the table
    table: NDArray[np.int64]  # [racks, BY_FREE + most accelerators + 1] see `locality`
    counted: NDArray[np.int64]  # [clusters] RELISTED when it was counted
    with_empty: NDArray[np.int64]  # [nodes of a rack + 1] the first with so many empty nodes
    spanned: NDArray[np.int32]  # [jobs] racks that each job spans or spanned, 0 for none


class Shares(NamedTuple):
    """Who used how much of late; see `shares`. A book is a kind of party with a half-life."""

    books: NDArray[np.int64]  # [books, BOOK_SIZE]
    account: NDArray[np.int32]  # [books, jobs] the account of the job's user or workload
    accounts: NDArray[np.int64]  # [accounts, ACCOUNT_SIZE] of all books
    routes: NDArray[np.int64]  # [routes, FAIR_SIZE]
    turns: NDArray[np.int64]  # [lines, TURN_SIZE] heap of the lines of one priority, by route


class Queueing(NamedTuple):
    """What queue rules need to know beside the tables; None in plain runs."""

    rules: NDArray[np.int64]  # [clusters, RULE_SIZE]
    quota: NDArray[np.int64]  # [workloads] accelerators that their jobs may hold at once
    held: NDArray[np.int64]  # [workloads] that they hold
    slot_end: NDArray[np.int64]  # [slots] when the job is expected to end, as in `ends`
    ends: NDArray[np.int64]  # end << bits | slot of running jobs by cluster, the first to end last
    later_with: NDArray[np.int64]  # [clusters, most accelerators + 1] nodes by what is free then
    later: NDArray[np.int32]  # [nodes] accelerators that will be free at the shadow time besides
    later_nodes: NDArray[np.int32]  # [nodes] of each cluster where there are or were any
    noted: NDArray[np.int8]  # [nodes] 1 for those
    verdict: NDArray[np.int64]  # [sizes of gangs] what became of one, as long as nothing changes
    chosen: NDArray[np.int32]  # [nodes] nodes chosen for a job, the one for its rest last
    profile: Profile
    shares: Shares | None  # without books where no queue shares fairly
    racks: Racks | None


class Faults(NamedTuple):
    """When nodes fail and are repaired; None in plain runs."""

    lives_ms: NDArray[np.int64]  # [failures, nodes] time in service up to each failure
    repairs_ms: NDArray[np.int64]  # [failures, nodes] time that its repair takes
    failures: NDArray[np.int32]  # [nodes] so far
    left_ms: NDArray[np.int64]  # [nodes] time in service to the next, while that stands still
    due_ms: NDArray[np.int64]  # [nodes] when it fails, while it is in service
    heap: NDArray[np.int32]  # [nodes] those in service, the first to fail on top
    place: NDArray[np.int32]  # [nodes] where a node stands in it
    failed_ms: NDArray[np.int64]  # [nodes] when it failed last
    struck: NDArray[np.int32]  # [nodes] those that fail at this instant
    cut: NDArray[np.int64]  # [slots] job << bits | slot of the jobs that they end


class Pieces(NamedTuple):
    """Earlier pieces of jobs that were cut short, [rows]; handed over as the change log is.

    None in plain runs.
    """

    job: NDArray[np.int32]
    cluster: NDArray[np.int16]
    first_node: NDArray[np.int32]
    part_node: NDArray[np.int32]
    power_level: NDArray[np.int8]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    kept_ms: NDArray[np.float64]  # time spent on work that is saved
    lost_ms: NDArray[np.float64]  # time since the last checkpoint, or the start; or of suspending
    resume_ms: NDArray[np.float64]  # that it took to go on from what a suspension kept, or NONE
    cause: NDArray[np.int8]  # FAILURE, RESTART or SUSPEND
    racks: NDArray[np.int32]  # racks that it spanned, 0 where there are none


class Power(NamedTuple):
    """Power as the engine needs it, [clusters] unless said."""

    curves: Curves
    span_w: NDArray[np.float64]  # dynamic power of one accelerator at work
    floor_w: NDArray[np.float64]  # most that a node without work draws
    level_speed: NDArray[np.float64]  # [clusters, levels] relative to the cluster's own level
    level_draw: NDArray[np.float64]  # [clusters, levels] dynamic power, likewise
    budget_w: NDArray[np.float64]
    site_budget_w: NDArray[np.float64]  # [sites]
    dynamic_w: NDArray[np.float64]  # reserved above the floor, where there is a budget
    concave: NDArray[np.bool_]  # whether a node's draw per load never rises with its load
    at_level: NDArray[np.int32]  # [nodes, levels] jobs of each level, where there is a budget


class Tables(NamedTuple):
    """The state beside the jobs."""

    clock: NDArray[np.int64]
    clusters: NDArray[np.int64]  # [clusters, WITH_FREE + most accelerators + 1]
    routes: NDArray[np.int64]  # [routes, ROUTE_SIZE]
    route_cluster: NDArray[np.int64]  # clusters in order of preference, route after route
    heads: NDArray[np.int64]  # [lines] first job waiting, route after route
    tails: NDArray[np.int64]  # [lines] last job waiting
    queues: NDArray[np.int64]  # trees of the lines where somebody waits, one for each route
    nodes: NDArray[np.int32]  # [nodes, NODE_SIZE]
    busy: NDArray[np.float64]  # [2, nodes] accelerators held x utilisation; x draw of the level
    words: NDArray[np.int64]  # the candidate index: trees of all clusters and free counts
    dirty_nodes: NDArray[np.int32]  # [nodes] what changed at this instant
    slots: NDArray[np.int32]  # [slots, SLOT_SIZE]
    slot_busy: NDArray[np.float64]  # [2, slots] utilisation; x draw of the power level
    agenda: NDArray[np.int64]  # heap of end << bits | slot
    bits: int
    loads: Loads | None


class Sleepers(NamedTuple):
    """What sleep needs to know beside the tables; apart from them, so that kernels compile fast."""

    rests: NDArray[np.int32]  # [nodes, REST_SIZE]
    moments_ms: NDArray[np.int64]  # [nodes, MOMENTS]
    due_ms: NDArray[np.int64]  # [nodes] when an idle node's descent is due, or waking, repair
    timers: NDArray[np.int32]  # [2 x nodes] heaps of idle nodes, open and closed, by cluster
    wakers: NDArray[np.int32]  # [nodes] heap of waking nodes
    menders: NDArray[np.int32]  # [nodes] heap of failed nodes
    heap_place: NDArray[np.int32]  # [nodes] where a node stands in its heap
    needs: NDArray[np.int64]  # [clusters, most accelerators + 1] what the queue would leave free
    ladder: Ladder


class Log(NamedTuple):
    """Change log: one row for each node that changed at an instant, [rows]."""

    time_ms: NDArray[np.int64]
    node: NDArray[np.int32]
    state: NDArray[np.int8]
    held: NDArray[np.int32]
    busy: NDArray[np.float64]  # accelerators held x utilisation
    drawn: NDArray[np.float64]  # dynamic power, in accelerators at work
