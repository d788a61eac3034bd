"""Workloads, as a scenario writes them: jobs drawn from distributions, or replayed."""

import datetime as dt
import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import listing, nearest, shown
from simulator.job_formats import format_names, job_formats
from simulator.scenario.accelerators import WantedAccelerators
from simulator.scenario.arrivals import ArrivalProcess, Arrivals
from simulator.scenario.dispatch import Dispatch, DispatchPolicy
from simulator.scenario.fields import (
    Flag,
    Marker,
    Moment,
    Number,
    TimeZone,
    Whole,
    Word,
    absent,
    as_written,
    finite,
)
from simulator.scenario.files import FileSpec
from simulator.scenario.laws import Law, LawOf
from simulator.scenario.limits import ACCELERATORS
from simulator.scenario.paths import Part
from simulator.scenario.reading import reading_of
from simulator.scenario.reliability import Checkpoint, Checkpointing
from simulator.scenario.spec import Problems, Spec, read_as, unknown_key

MOST_GPUS: Final = 2**22
"""Accelerators that one job may hold, and that a fleet may have."""

MOST_JOBS: Final = 2**31 - 1

MOST_PRIORITY: Final = 2**31 - 1

PHASES: Final = ("data", "experimentation", "training", "inference")
"""Phases of machine learning, from data to use."""

REQUIRED_COLUMNS: Final = ("job_id", "submit_s", "duration_s", "gpus")
"""Columns that every job file has."""

JOB_COLUMNS: Final = (
    *REQUIRED_COLUMNS,
    "utilisation",
    "requested_s",
    "deadline_s",
    "priority",
    "accelerator",
    "preemptible",
    "cluster",
    "user",
    "fraction",
)
"""Columns of a job file."""


class Columns(Marker):
    """Names that a job file gives to the columns."""

    def plain(self, value: Any) -> dict[str, str]:
        """Return the file's name for each column that has another one."""
        if not isinstance(value, dict):
            raise ValueError(f'{shown(value)} is not a table; write {{ submit_s = "submitted" }}')
        problems = Problems()
        for column, name in value.items():
            if column not in JOB_COLUMNS:
                text = unknown_key(column, list(JOB_COLUMNS))
                text = text.replace("unknown key", "not a column of job files")
                problems.add((column,), text)
            elif not isinstance(name, str) or not name:
                problems.add((column,), f"{shown(name)} is not a column's name; write it in quotes")
        problems.check()
        return dict(value)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the columns."""
        return {
            "type": "object",
            "properties": {column: {"type": "string"} for column in JOB_COLUMNS},
            "additionalProperties": False,
        }


class FormatName(Marker):
    """Format of a job file: by its ending unless said."""

    def read(self, value: Any, info: ValidationInfo) -> str:
        """Return the format."""
        text = info.data.get("text")
        known = job_formats()
        if value is not None or text is None:
            name = Word(known).plain(value or "csv")
            if known[name].beside and reading_of(info) is not None:
                raise ValueError(
                    f"{shown(name)} is a trace of several files; make one of them first: "
                    f"fleetsim traces convert --from {name} FILE -o jobs.csv.gz"
                )
            return name
        for name, each in known.items():
            if text.casefold().endswith(each.endings or ("\0",)):
                return name
        raise ValueError(
            f'missing, and the ending of {shown(text)} does not say it; write format = "csv" '
            f"or another of {listing(known)}"
        )

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the formats."""
        return {"enum": list(format_names())}


class JobFile(FileSpec):
    """Jobs to replay from a file."""

    format: Annotated[str, FormatName()] = as_written(None)
    """Format of the file: `csv` (plain or gzipped), `parquet`, or that of a public trace, e.g.
    `swf`; by its ending unless given."""
    columns: Annotated[dict[str, str], Columns()] = Field(default={})
    """The file's names for columns that are called otherwise: `{ submit_s = "submitted" }`. Only
    for `csv` and `parquet`."""
    origin: Annotated[dt.datetime | None, Moment()] = absent()
    """Instant of the file's timestamps that falls on the scenario's start; by default the start
    itself. Only for files that say their times by date."""
    processors_per_accelerator: Annotated[int | None, Whole(1, MOST_GPUS)] = absent()
    """Processors that count as one accelerator, for formats that count no accelerators; 1 unless
    given."""
    time_zone: Annotated[str | None, TimeZone()] = absent()
    """Time zone of times that the format gives without one."""

    @field_validator("columns", "processors_per_accelerator", "time_zone", mode="after")
    @classmethod
    def _is_for_the_format(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.data.get("format")
        if name is not None and value and info.field_name not in job_formats()[name].options:
            takers = [
                other
                for other, each in job_formats().items()
                if info.field_name in each.options and not each.beside
            ]
            raise ValueError(f'not for format = "{name}"; it is for {listing(takers)}')
        return value

    def options(self) -> dict[str, Any]:
        """Return what the reader of the format takes beside the file, by keyword."""
        return {key: getattr(self, key) for key in sorted(job_formats()[self.format].options)}


class GpuNumbers(Marker):
    """A list of numbers of accelerators."""

    def plain(self, value: Any) -> tuple[int, ...]:
        """Return the numbers."""
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f"{shown(value)} is not a list of numbers; write e.g. [1, 2, 4, 8]")
        problems = Problems()
        for index, entry in enumerate(value):
            problems.read((index,), gpu_number, entry)
        problems.check()
        return tuple(value)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the list."""
        return {"type": "array", "minItems": 1, "items": Whole(1, MOST_GPUS).form()}


class Weights(Marker):
    """One weight for each choice, scaled to sum to 1."""

    def read(self, value: Any, info: ValidationInfo) -> tuple[float, ...]:
        """Return the weights as shares."""
        choices = info.data.get("choices")
        if value is None:
            count = len(choices or [1])
            return (1 / count,) * count
        if not isinstance(value, list | tuple):
            raise ValueError(f"{shown(value)} is not a list of weights; write e.g. [0.6, 0.4]")
        problems = Problems()
        weights = [problems.read((index,), _weight, entry) for index, entry in enumerate(value)]
        problems.check()
        if choices is not None and len(weights) != len(choices):
            raise ValueError(
                f"{len(weights)} weights for {len(choices)} choices; write one for each"
            )
        total = math.fsum(weight or 0.0 for weight in weights)
        if not 0 < total < math.inf:
            raise ValueError(f"the weights sum to {total:g}; write at least one above 0")
        return tuple((weight or 0.0) / total for weight in weights)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the weights."""
        return {"type": "array", "items": {"type": "number", "minimum": 0}}


class GpuChoices(Spec):
    """Accelerators that a job holds, chosen by weight."""

    choices: Annotated[tuple[int, ...], GpuNumbers()] = Field(examples=["[1, 2, 4, 8]"])
    """Numbers of accelerators."""
    weights: Annotated[tuple[float, ...], Weights()] = as_written(None)
    """Weight of each choice, scaled to sum to 1; equal unless given."""


class Gpus(Marker):
    """Accelerators of a job: one number, or choices with their weights."""

    def read(self, value: Any, info: ValidationInfo) -> GpuChoices:
        """Return the choices."""
        if isinstance(value, dict | GpuChoices):
            return read_as(GpuChoices, value, reading_of(info))
        return GpuChoices(choices=(gpu_number(value),), weights=(1.0,))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a number or choices."""
        return {"anyOf": [Whole(1, MOST_GPUS).form(), GpuChoices.table_form()]}


class Jobs(Marker):
    """Jobs of a file."""

    def read(self, value: Any, info: ValidationInfo) -> JobFile:
        """Return the file."""
        if isinstance(value, str):
            raise ValueError(f"{shown(value)} is not a table; write {{ file = {shown(value)} }}")
        return read_as(JobFile, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        return JobFile.table_form()


class Workload(Spec):
    """Jobs of one kind: drawn from distributions, or replayed from a file."""

    clusters: Annotated[Dispatch, DispatchPolicy()] = Field(examples=['["train"]'])
    """Clusters that may run the jobs, in order of preference; or a table of a dispatch policy, its
    parameters and the clusters, `among`."""
    accelerators: Annotated[dict[str, float | None] | None, WantedAccelerators()] = absent()
    """Accelerators that the jobs may use, by name: clusters of others are left aside. A table gives
    their speeds for these jobs, in place of those of the node types."""
    arrivals: Annotated[Arrivals | None, ArrivalProcess()] = absent()
    """When jobs are submitted."""
    gpu_days: Annotated[Law | None, LawOf("gpu_days", "gpu_days")] = absent()
    """Work of a job, its run time on one accelerator of relative speed 1; a name stands for a
    workload of the catalog."""
    duration: Annotated[Law | None, LawOf("duration", "duration")] = absent()
    """Run time of a job, in place of `gpu_days`."""
    gpus: Annotated[GpuChoices | None, Gpus()] = absent()
    """Accelerators that a job holds from start to end."""
    utilisation: Annotated[Law, LawOf("share")] = as_written(1.0)
    """Busy share of the accelerators a job holds, 0 to 1. With `jobs`, of those whose file does
    not say it."""
    max_jobs: Annotated[int | None, Whole(1, MOST_JOBS)] = absent()
    """At most so many jobs."""
    quota: Annotated[int | None, Whole(1, ACCELERATORS.most)] = absent()
    """Accelerators that the workload's jobs may hold at a time, over all clusters; any number
    unless given."""
    priority: Annotated[int | None, Whole(-MOST_PRIORITY, MOST_PRIORITY)] = absent()
    """Priority of the jobs, larger is served first; 0 unless given. With `jobs`, of those whose
    file does not say it."""
    preemptible: Annotated[bool | None, Flag()] = absent()
    """Whether the jobs may be preempted, on clusters with `preemption`; true unless given. With
    `jobs`, of those whose file does not say it."""
    checkpoint: Annotated[Checkpoint | None, Checkpointing()] = absent()
    """How the jobs save their work; without it one that loses a node starts from the beginning."""
    shareable: Annotated[bool | None, Flag()] = absent()
    """Whether jobs of one accelerator may share it where the cluster lets them; true unless
    given."""
    fraction: Annotated[float | None, Number(above=0.0, high=1.0, meaning="a part of one")] = (
        absent()
    )
    """Part of an accelerator that each job of one asks for where jobs share it; its utilisation
    counts unless given. With `jobs`, of those whose file does not say it."""
    phase: Annotated[str | None, Word(PHASES)] = absent()
    """Phase of machine learning that the jobs belong to: `data`, `experimentation`, `training` or
    `inference`; it changes no job, and sums are told by it."""
    jobs: Annotated[JobFile | None, Jobs()] = absent()
    """Jobs to replay, in place of `arrivals`, `gpu_days` or `duration`, and `gpus`."""

    @property
    def is_settled(self) -> bool:
        """Whether the name of its dispatch policy stands for the same one for good."""
        return self.clusters.is_settled

    @field_validator("shareable")
    @classmethod
    def _says_no(cls, shareable: bool | None) -> bool | None:
        return None if shareable else shareable  # what is true unless given is the same given

    @field_validator("fraction")
    @classmethod
    def _may_share(cls, fraction: float | None, info: ValidationInfo) -> float | None:
        if fraction is not None and info.data.get("shareable") is False:
            raise ValueError("its jobs share no accelerator; take this or shareable = false out")
        gpus = info.data.get("gpus")
        if fraction is not None and isinstance(gpus, GpuChoices) and 1 not in gpus.choices:
            raise ValueError("jobs of several accelerators have each whole; take it out")
        return fraction

    @field_validator("quota")
    @classmethod
    def _holds_each_size(cls, quota: int | None, info: ValidationInfo) -> int | None:
        gpus = info.data.get("gpus")
        if quota is not None and isinstance(gpus, GpuChoices):
            pairs = zip(gpus.choices, gpus.weights, strict=True)
            never = sorted({size for size, weight in pairs if weight > 0 and size > quota})
            if never:
                raise ValueError(
                    f"jobs of {listing(map(str, never))} accelerators exceed the quota ({quota}) "
                    f"and can never start; write at least {never[-1]}, or take these sizes out"
                )
        return quota

    drawn: ClassVar[tuple[str, ...]] = ("arrivals", "gpu_days", "duration", "gpus")
    """Keys of jobs that are drawn."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Yield what is wrong with the choice of keys."""
        if "jobs" in table:
            extra = [key for key in cls.drawn if key in table]
            if extra:
                text = f"replays a file, which says what {listing(extra)} would; take one out"
                yield ("jobs",), text
            return
        known = cls.attributes()
        keys = {key if key in known else nearest(key, known) for key in table}
        if keys.isdisjoint({*cls.drawn, "jobs"}):
            yield (), "says no jobs; write arrivals, gpu_days and gpus, or jobs = { file = ... }"
        elif "jobs" not in keys:
            yield from _drawn_problems(table, keys)


def _drawn_problems(
    table: dict[str, Any], keys: set[str | None]
) -> Iterator[tuple[tuple[Part, ...], str]]:
    if "gpu_days" in table and "duration" in table:
        yield ("duration",), "given together with gpu_days; take one of the two out"
    if not keys & {"gpu_days", "duration"}:
        example = 'gpu_days = { p50 = 1.5, p99 = 24.0 }, or duration = "4 h"'
        yield ("gpu_days",), f"missing; e.g. {example}"
    if "arrivals" not in keys:
        yield ("arrivals",), 'missing; e.g. arrivals = { process = "poisson", rate = "700 per d" }'
    if "gpus" not in keys:
        yield ("gpus",), "missing; e.g. gpus = 8"


def gpu_number(value: object) -> int:
    """Return a number of accelerators that a job may hold."""
    if isinstance(value, float) and 0.0 < value < 1.0:
        raise ValueError(f"{shown(value)} is a part of one; write gpus = 1, fraction = {value:g}")
    return Whole(1, MOST_GPUS).plain(value)


def _weight(value: object) -> float:
    weight = finite(value)
    if weight < 0:
        raise ValueError(f"{shown(value)} is negative; write a weight of at least 0")
    return weight
