"""What a policy in plain Python sees of a job, whatever it decides about it."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.state import State
from simulator.units import MS_PER_S
from simulator.workload.table import JobTable

if TYPE_CHECKING:
    import pyarrow as pa


class JobColumns:
    """Where jobs are looked up: the job table, and the engine's state.

    Parameters
    ----------
    state : State
    table : JobTable
    """

    def __init__(self, state: State, table: JobTable) -> None:
        self.state = state
        self.table = table
        self.clock = state.tables.clock.data
        self.gpus = state.jobs.gpus.data

    @cached_property
    def ids(self) -> "pa.Array":
        """The identifiers of all jobs."""
        return self.table.job_ids()


class SeenJob:
    """A job: its properties as they were submitted.

    Parameters
    ----------
    columns : JobColumns
    row : int
        Of the job table.
    """

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: JobColumns, row: int) -> None:
        self._columns = columns
        self._row = row

    @property
    def number(self) -> int:
        """Row of the job table; jobs submitted earlier have lower ones."""
        return self._row

    @property
    def id(self) -> str:
        """Its identifier, as in `jobs.parquet`."""
        return str(self._columns.ids[self._row])

    @property
    def gpus(self) -> int:
        """Accelerators that it needs."""
        return self._columns.gpus[self._row]

    @property
    def submit_s(self) -> float:
        """When it was submitted, since the scenario's start. [s]"""
        return int(self._columns.table.submit_ms[self._row]) / MS_PER_S

    @property
    def deadline_s(self) -> float | None:
        """When it should have ended, since the scenario's start; None where it has none. [s]"""
        deadline_ms = self._columns.table.deadline_ms
        if deadline_ms is None or np.isnan(deadline_ms[self._row]):
            return None
        return float(deadline_ms[self._row]) / MS_PER_S

    @property
    def priority(self) -> int:
        """Its priority; larger ones come first in the queue."""
        return int(self._columns.table.priority[self._row])

    @property
    def workload(self) -> str:
        """Name of its workload."""
        table = self._columns.table
        return str(table.workload_names[table.workload[self._row]])

    @property
    def user(self) -> str | None:
        """Name of its user, None where nobody is named."""
        table = self._columns.table
        if table.user is None or table.user[self._row] < 0:
            return None
        return str(table.user_names[table.user[self._row]])

    def __repr__(self) -> str:
        return f"<job {self.id} of {self.gpus} GPUs>"
