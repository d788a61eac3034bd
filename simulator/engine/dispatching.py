"""Dispatch policies in plain Python: asked once for each job, and held to what they may answer."""

from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.failing import failed
from simulator.engine.job_energy import energy_j
from simulator.engine.seen import JobColumns, SeenJob
from simulator.engine.state import State
from simulator.engine.ways import Dispatches
from simulator.errors import PolicyError, listing, shown
from simulator.fleet import Fleet
from simulator.kernels import tables as kernels
from simulator.kernels.chosen import has_room
from simulator.kernels.compile import entry_of
from simulator.kernels.dispatch import send
from simulator.kernels.loads import asked, expected_wait
from simulator.power.tables import PowerTables
from simulator.units import J_PER_KWH, MS_PER_S
from simulator.workload.table import JobTable

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Agent:
    """Asks the policies of workloads for the cluster of each job that is submitted.

    Parameters
    ----------
    state : State
    fleet : Fleet
    jobs : JobTable
    power : PowerTables
    dispatches : Dispatches
    """

    def __init__(
        self,
        state: State,
        fleet: Fleet,
        jobs: JobTable,
        power: PowerTables,
        dispatches: Dispatches,
    ) -> None:
        assert state.dispatch is not None  # workloads that ask have tables
        self._market = _Market(state, fleet, jobs, power, dispatches)
        self._columns = JobColumns(state, jobs)
        self._tables = state.dispatch
        self._dispatches = dispatches
        self._send = entry_of(send, state.jobs, state.dispatch, 0, 0)

    def ask(self) -> None:
        """Let the policy choose the cluster of the next job, and send the job there."""
        row = self._columns.clock[kernels.NEXT_JOB]
        now_ms = self._columns.clock[kernels.NOW_MS]
        how = self._dispatches.by_workload[self._columns.table.workload[row]]
        way = self._tables.way[row]
        numbers = self._tables.cluster[self._tables.first[way] : self._tables.first[way + 1]]
        clusters = tuple(Candidate(self._market, at, row) for at in numbers.tolist())
        job = SeenJob(self._columns, row)
        assert how.choice is not None
        try:
            answer = how.choice(job, clusters, now_ms / MS_PER_S)
            chosen = self._cluster_of(answer, job, clusters)
        except PolicyError:
            raise
        except Exception as error:  # whatever goes wrong in the code of others
            words = f"for job {job.id}: {type(error).__name__}: {error}"
            raise failed(how.policy, job.workload, now_ms, words, of="workload") from error
        if isinstance(chosen, str):
            raise failed(how.policy, job.workload, now_ms, chosen, of="workload")
        self._send(self._columns.state.jobs, self._tables, row, chosen)

    def _cluster_of(
        self, answer: object, job: SeenJob, clusters: "tuple[Candidate, ...]"
    ) -> int | str:
        """Return the number of the cluster that an answer names, or what is wrong with it."""
        name = answer.name if isinstance(answer, Candidate) else answer
        numbers = {each.name: each._cluster for each in clusters}
        if isinstance(name, str) and name in numbers:
            return numbers[name]
        known = listing(numbers)
        if not isinstance(name, str):
            said = f"for job {job.id} it returned {answer!r}"
            return f"{said}; return one of the clusters, or its name: {known}"
        table, names = self._columns.table, self._market.fleet.cluster_names
        if name in [names[at] for at in table.routes[table.route[job.number]]]:
            said = f"can't hold its {job.gpus} accelerators, or not their power"
        elif name in names:
            said = "is none of those that it may use"
        else:
            said = "is no cluster"
        return f"for job {job.id} it returned {shown(name)}, which {said}; return one of {known}"


class _Market:
    """What all clusters are looked at through."""

    def __init__(
        self,
        state: State,
        fleet: Fleet,
        jobs: JobTable,
        power: PowerTables,
        dispatches: Dispatches,
    ) -> None:
        assert state.tables.loads is not None
        self.state = state
        self.fleet = fleet
        self.loads = state.tables.loads
        self.dispatches = dispatches
        self._jobs = jobs
        self._power = power
        self._energy_j: dict[int, NDArray[np.float64]] = {}
        tables = state.tables
        self.has_room = entry_of(has_room, tables.clusters, 0, 0)
        self.asked = entry_of(asked, state.jobs, 0, 0)
        self.expected_wait = entry_of(expected_wait, self.loads, state.jobs, tables, 0, 0)

    def energy_j(self, cluster: int, row: int) -> float:
        """Return the energy of a job on a cluster; that of all jobs is found at once. [J]"""
        if cluster not in self._energy_j:
            rows = np.arange(len(self._jobs))
            found = energy_j(
                self.fleet, self._power, self._jobs, self.dispatches.pue, cluster, rows
            )
            self._energy_j[cluster] = found
        return float(self._energy_j[cluster][row])


class Candidate:
    """A cluster that could hold the job asked about, as a dispatch policy sees it."""

    __slots__ = ("_cluster", "_market", "_row")

    def __init__(self, market: _Market, cluster: int, row: int) -> None:
        self._market = market
        self._cluster = cluster
        self._row = row

    def _of(self, column: int) -> int:
        return int(self._market.state.tables.clusters[self._cluster, column])

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self._market.fleet.cluster_names[self._cluster]

    @property
    def site(self) -> str:
        """Name of its site."""
        fleet = self._market.fleet
        return fleet.site_names[int(fleet.site[self._cluster])]

    @property
    def accelerator(self) -> str | None:
        """Name of its accelerators, None where the node type gives none."""
        return self._market.fleet.accelerator_names[self._cluster]

    @property
    def node_count(self) -> int:
        """Nodes in service now, asleep or awake, without those that failed."""
        return self._of(kernels.OWNED) - self._of(kernels.DOWN)

    @property
    def capacity(self) -> int:
        """Accelerators of these nodes."""
        return self.node_count * self._of(kernels.WHOLE)

    @property
    def free(self) -> int:
        """Free accelerators of awake nodes."""
        return self._of(kernels.FREE)

    @property
    def fits(self) -> bool:
        """Whether the job could be placed now."""
        gpus = int(self._market.state.jobs.gpus[self._row])
        clusters = self._market.state.tables.clusters
        return bool(gpus <= self.free and self._market.has_room(clusters, self._cluster, gpus))

    @property
    def jobs_waiting(self) -> int:
        """Jobs that wait for this cluster, alone or among others."""
        return int(self._market.loads.jobs[self._cluster])

    @property
    def requested_s(self) -> float:
        """Run time of the job here, as its user asked for it. [s]"""
        jobs = self._market.state.jobs
        return float(self._market.asked(jobs, self._cluster, self._row)) / MS_PER_S

    @property
    def expected_wait_s(self) -> float:
        """How long the job is expected to wait here, as `least-wait` has it. [s]"""
        market = self._market
        state = market.state
        wait_ms = market.expected_wait(
            market.loads, state.jobs, state.tables, self._cluster, self._row
        )
        return float(wait_ms) / MS_PER_S

    @property
    def energy_kwh(self) -> float:
        """Energy that the job takes here with its building's share, as `least-energy` has it."""
        return self._market.energy_j(self._cluster, self._row) / J_PER_KWH

    @property
    def intensity_g_per_kwh(self) -> float:
        """Average intensity of the site's grid now."""
        return self._intensity()[0]

    @property
    def marginal_g_per_kwh(self) -> float | None:
        """Marginal intensity of the site's grid now, None where it has no such signal."""
        return self._intensity()[1]

    def _intensity(self) -> tuple[float, float | None]:
        now_ms = int(self._market.state.tables.clock[kernels.NOW_MS])
        site = int(self._market.fleet.site[self._cluster])
        return self._market.dispatches.intensity(site, now_ms)

    def __repr__(self) -> str:
        return f"<cluster {self.name}>"
