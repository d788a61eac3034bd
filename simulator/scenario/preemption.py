"""Preemption of running jobs, as a scenario writes it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo

from simulator.errors import listing, shown
from simulator.scenario.fields import Marker, Milliseconds, Word, as_written
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import Part
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Spec, read_as

if TYPE_CHECKING:
    from simulator.scenario.clusters import Cluster

WAYS: Final = ("restart", "suspend")
"""What becomes of a job that is preempted."""


class Preemption(Spec):
    """How running jobs make room for a job of higher priority that waits first."""

    way: Annotated[Literal["restart", "suspend"], Word(WAYS)] = Field(examples=['"suspend"'])
    """What becomes of a job that is preempted: with `restart` it goes on from its last checkpoint,
    as after a failure; with `suspend` all that it did is kept."""
    after_ms: Annotated[int, Milliseconds()] = Field(default=as_written("0 s"), alias="after")
    """Begin of each run of a job in which it is not preempted."""
    suspend_ms: Annotated[int, Milliseconds()] = Field(default=as_written("0 s"), alias="suspend")
    """Time that saving the state of a job takes; it holds its accelerators meanwhile, at its
    power."""
    resume_ms: Annotated[int, Milliseconds()] = Field(default=as_written("0 s"), alias="resume")
    """Time that the next run of a suspended job takes before it works."""

    @property
    def suspends(self) -> bool:
        """Whether all that a job did is kept."""
        return self.way == "suspend"

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Yield what is wrong with the choice of keys."""
        if table.get("way") == "restart":
            for key in ("suspend", "resume"):
                if key in table:
                    text = 'not for way = "restart"; take it out, or write way = "suspend"'
                    yield (key,), text

    @classmethod
    def implied(cls, table: dict[str, Any]) -> frozenset[str]:
        """Return the keys that only one way has, where it is the other."""
        return frozenset({"suspend", "resume"} if table.get("way") == "restart" else ())

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return 'write "restart", or { way = "suspend", suspend = "30 s", resume = "1 min" }'


class PreemptionOf(Marker):
    """Preemption: the way alone, or a table."""

    def read(self, value: Any, info: ValidationInfo) -> Preemption:
        """Return it, its keys checked."""
        if isinstance(value, str):
            value = {"way": Word(WAYS).plain(value)}
        return read_as(Preemption, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a way or a table."""
        return {"anyOf": [Word(WAYS).form(), Preemption.table_form()]}


def placing_clusters(clusters: Mapping[str, Any]) -> list[str]:
    """Return the clusters whose jobs are placed by a policy in plain Python."""
    found: list[str] = []
    for name, cluster in clusters.items():
        with as_far_as_read(cluster):
            if not isinstance(cluster.placement, str):
                found.append(name)
    return found


def preemption_faults(cluster: "Cluster", placing: Sequence[str]) -> Iterator[str]:
    """Yield why nobody can be preempted under the cluster's queue, whose policy is sound.

    Parameters
    ----------
    cluster : Cluster
    placing : sequence of str
        Clusters whose jobs are placed by a policy in plain Python.
    """
    if cluster.preemption is None:
        return
    if placing:
        yield (
            "nobody is preempted where a policy in plain Python places jobs (clusters: "
            f'{listing(placing)}); take it out, or write a rule such as placement = "pack" there'
        )
    if cluster.queue.in_python:
        yield (
            f"{shown(cluster.queue.policy)} is asked in plain Python, and nobody is preempted for "
            "it; take preemption out, or write a policy that gives a rule"
        )
    elif cluster.queue.rule().backfill == "conservative":
        yield (
            "nobody is preempted where every job has a reservation; take it out, or write a queue "
            "with easy backfill, or with none"
        )
