"""Columns of ``jobs.parquet`` that are there only where a run has what they tell of."""

from typing import Final

from simulator.column import Column, absent, count, number

RUN: Final = number("run_s", "s", "Time that it held its accelerators, within the counted period")

RESTARTS: Final[tuple[Column, ...]] = (
    count(
        "restarts",
        "Times within the counted period that a failed node ended it and sent it back to the "
        "queue; start_s and wait_s are of its first start",
    ),
    RUN,
    number(
        "lost_s",
        "s",
        "Part of run_s that failures made worthless: since its last checkpoint, or its start",
    ),
)
"""Columns of ``jobs.parquet`` that are there where nodes can fail."""

PREEMPTIONS: Final[tuple[Column, ...]] = (
    RUN,
    count(
        "preemptions",
        "Times within the counted period that it was preempted and sent back to the queue; start_s "
        "and wait_s are of its first start",
    ),
    number(
        "preempted_s",
        "s",
        "Part of run_s that preemption cost: since its last checkpoint, or its start; while its "
        "state was saved; and before it worked again",
    ),
    number(
        "waited_again_s",
        "s",
        "Time within the counted period that it waited to go on, after it was preempted or lost a "
        "node",
    ),
)
"""Columns of ``jobs.parquet`` that are there where jobs are preempted."""

SHARED: Final[tuple[Column, ...]] = (
    absent(
        "slowdown_interference",
        "1",
        "Time that it ran, up to the run's end, over the time that the same work takes alone; "
        "null if it did not run",
    ),
    absent(
        "shared_share",
        "1",
        "Share of the time that it ran, up to the run's end, in which others were on its "
        "accelerator; null if it did not run",
    ),
    number(
        "gpu_hours_held",
        "GPU-h",
        "Accelerators held times time within the counted period; of one shared by n jobs each "
        "holds 1/n",
    ),
)
"""Columns of ``jobs.parquet`` that are there where jobs may share accelerators."""


SPANS: Final[tuple[Column, ...]] = (
    Column("nodes", "int64", "1", "Nodes of its last run; null if it held nothing", True),
    Column(
        "racks",
        "int64",
        "1",
        "Racks in which these nodes lie; null if it held nothing, or its cluster has no racks",
        True,
    ),
)
"""Columns of ``jobs.parquet`` that are there where some cluster has racks."""
