"""The scenario: everything a user may say about one simulated fleet, checked and frozen."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from simulator.errors import shown
from simulator.scenario.arrivals import (
    Arrivals,
    DiurnalArrivals,
    PoissonArrivals,
    RegularArrivals,
)
from simulator.scenario.canonical import KeyText, canonical_text
from simulator.scenario.clusters import Accounting, Cluster
from simulator.scenario.document import REPLACED, Layered, in_full, names_file, portable
from simulator.scenario.fields import Flag, Marker, Milliseconds, Moment, Text, Whole, as_written
from simulator.scenario.grid import (
    Grid,
    GridConstant,
    GridFile,
    GridName,
    IntensitySource,
)
from simulator.scenario.load_curves import ExponentCurve, LoadCurve, PointsCurve
from simulator.scenario.node_power import Component, PowerLevel
from simulator.scenario.nodes import IdleState, NodeType
from simulator.scenario.placement import Placing, Racks
from simulator.scenario.provisioning import Provisioning
from simulator.scenario.reading import Reading
from simulator.scenario.scheduling import Scheduling
from simulator.scenario.sites import Site
from simulator.scenario.spec import Spec
from simulator.scenario.workloads import GpuChoices, JobFile, Workload
from simulator.units import format_quantity

__all__ = [
    "Accounting",
    "Arrivals",
    "Cluster",
    "Component",
    "DiurnalArrivals",
    "ExponentCurve",
    "GpuChoices",
    "Grid",
    "GridConstant",
    "GridFile",
    "GridName",
    "IdleState",
    "IntensitySource",
    "JobFile",
    "LoadCurve",
    "NodeType",
    "Placing",
    "PointsCurve",
    "PoissonArrivals",
    "PowerLevel",
    "Provisioning",
    "Racks",
    "RegularArrivals",
    "Scenario",
    "Scheduling",
    "Site",
    "Workload",
]

SCHEMA: Final = 1
"""Version of the scenario format that this program reads."""

SEED: Final = Whole(0, 2**63 - 1)

HEADER: Final = (
    "The resolved scenario of a run: every value, defaults included. It runs as it is:",
    "fleetsim run scenario.toml",
)
"""Comment at the head of a resolved scenario."""


class Schema(Marker):
    """Version of the scenario format."""

    def plain(self, value: Any) -> int:
        """Return the version, which is this program's."""
        if isinstance(value, bool) or value != SCHEMA or not isinstance(value, int):
            raise ValueError(other_schema(value))
        return value

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the version."""
        return {"const": SCHEMA}


def other_schema(version: object) -> str:
    """Return the message about a scenario of another schema version."""
    return (
        f"made for schema {shown(version)}, this is {SCHEMA}; write schema = {SCHEMA}, or use "
        "the version of fleetsim that the file was made for"
    )


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a scenario came from.

    Attributes
    ----------
    said : dict
        What was written, merged, with catalog nodes filled in; quantities as text. Never changed:
        other scenarios may share it, or parts of it.
    origins : dict
        Where each of these values came from, by dotted path: a file's name, ``"--set"``...
    node_types : dict
        What the node types of the document were read as, those included that no cluster uses.
    warnings : tuple of str
    path : Path or None
        The file that was loaded.
    folder : Path
        Folder that relative paths are relative to.
    source : str
        The file as the user named it.
    confirmed : bool
        Whether sizes beyond the usual were confirmed, with ``--yes``.
    untrusted : bool
        Whether files outside the folder are refused.
    check_files : bool
        Whether the files that the document names had to be there.
    key_text : KeyText
    """

    said: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    node_types: dict[str, NodeType] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    path: Path | None = None
    folder: Path = Path()
    source: str = "scenario"
    confirmed: bool = False
    untrusted: bool = False
    check_files: bool = True
    key_text: KeyText = field(default_factory=KeyText, compare=False, repr=False)


class Scenario(Spec):
    """One simulated fleet: its machines, sites, clusters, workloads and accounting."""

    schema_version: Annotated[int, Schema()] = Field(alias="schema", examples=["1"])
    """Version of the scenario format: 1."""
    name: Annotated[str, Text("a name")] = Field(examples=['"my-fleet"'])
    """Name of the scenario, in results and figures."""
    start: Annotated[dt.datetime, Moment()] = Field(examples=["2022-01-01T00:00:00Z"])
    """Instant at which the simulation starts, with its time zone; everything inside is UTC."""
    horizon_ms: Annotated[int, Milliseconds(positive=True)] = Field(
        alias="horizon", examples=['"28 d"']
    )
    """Simulated time, from the start."""
    warm_up_ms: Annotated[int, Milliseconds()] = Field(default=as_written("0 s"), alias="warm_up")
    """Time that only fills the fleet: jobs submitted and energy drawn in it are not counted."""
    drain: Annotated[bool, Flag()] = False
    """Whether to run on after the horizon, without arrivals, until the last job ends."""
    seed: Annotated[int, SEED] = 0
    """Seed of every random draw."""
    nodes: dict[str, NodeType] = Field(default={})
    """Node types by name; clusters may also name one of the catalog."""
    sites: dict[str, Site]
    """Sites by name."""
    clusters: dict[str, Cluster]
    """Clusters by name; each scheduling pass takes them in this order."""
    workloads: dict[str, Workload] = Field(default={})
    """Workloads by name; without any the fleet idles."""
    accounting: Accounting = as_written({})
    """How energy becomes carbon."""

    _provenance: Provenance = PrivateAttr(default_factory=Provenance)

    @field_validator("horizon_ms")
    @classmethod
    def _in_calendar(cls, horizon_ms: int, info: ValidationInfo) -> int:
        start = info.data.get("start")
        if start is not None:
            try:
                start + dt.timedelta(milliseconds=horizon_ms)
            except OverflowError:
                raise ValueError("the run would end after the year 9999; shorten it") from None
        return horizon_ms

    @field_validator("warm_up_ms")
    @classmethod
    def _before_horizon(cls, warm_up_ms: int, info: ValidationInfo) -> int:
        horizon_ms = info.data.get("horizon_ms")
        if horizon_ms is not None and warm_up_ms >= horizon_ms:
            warm_up = format_quantity(warm_up_ms, "time")
            horizon = format_quantity(horizon_ms, "time")
            raise ValueError(
                f"warm_up ({warm_up}) must be shorter than horizon ({horizon}); "
                "statistics count what comes after it"
            )
        return warm_up_ms

    @property
    def document(self) -> dict[str, Any]:
        """What was written, merged, with defaults and catalog nodes filled in; a copy."""
        return self._in_full().document

    @property
    def origins(self) -> dict[str, str]:
        """Where each value of the document came from, by dotted path."""
        return self._in_full().origins

    def _in_full(self) -> Layered:
        """Return the document with its defaults, and where each value came from."""
        provenance = self._provenance
        said = Layered(provenance.said, provenance.origins)
        if not said.document:
            return Layered()  # built from Python: nothing was said
        return in_full(said, self.model_copy(update={"nodes": provenance.node_types}))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd but allowed, each on one line."""
        return self._provenance.warnings

    @property
    def path(self) -> Path | None:
        """The file that was loaded, if one was."""
        return self._provenance.path

    @property
    def folder(self) -> Path:
        """Folder that relative paths of the scenario are relative to."""
        return self._provenance.folder

    @property
    def source(self) -> str:
        """The file as the user named it."""
        return self._provenance.source

    @property
    def reading(self) -> Reading:
        """How more of the scenario is read: from its folder, under the same limits."""
        known = self._provenance
        return Reading(known.folder, confirmed=known.confirmed, untrusted=known.untrusted)

    def replace(self, changes: Mapping[str, Any], *, check_files: bool = True) -> "Scenario":
        """Return the scenario with some values replaced, checked as a whole again.

        Parameters
        ----------
        changes : mapping
            New values by dotted path, written as in a file:
            ``{"clusters.train.count": 256, "sites.oregon.pue": 1.2}``. None takes a value out.
        check_files : bool
            Whether the files that the scenario names have to be there.

        Raises
        ------
        InputError
            With every problem of the new scenario.
        """
        from simulator.scenario.load import replaced

        return replaced(self, changes, check_files=check_files)

    def with_seed(self, seed: int) -> "Scenario":
        """Return the scenario with another seed, as `replace` does, in far less time.

        Files that the scenario names are not looked for again.

        Raises
        ------
        InputError
            If it is no seed.
        """
        provenance = self._provenance
        settled = all(cluster.is_settled for cluster in self.clusters.values())
        settled &= all(workload.is_settled for workload in self.workloads.values())
        if not (provenance.said and provenance.check_files and settled and _is_seed(seed)):
            return self.replace({"seed": seed})
        copy = self.model_copy(update={"seed": seed})
        copy._provenance = replace(
            provenance,
            said={**provenance.said, "seed": seed},
            origins={**provenance.origins, "seed": REPLACED},
        )
        return copy

    def to_toml(self) -> str:
        """Return the resolved scenario as a TOML file that runs from any folder."""
        from simulator.scenario.toml_writer import toml_text

        return toml_text(portable(self.document, self.folder), HEADER)

    def canonical(self) -> str:
        """Return all that decides the results, in one form, as JSON.

        Two scenarios that say the same in other words have the same text. The paths of files
        are left out: it is their content that counts.
        """
        return canonical_text(self)

    def key_text(self) -> str:
        """Return `canonical` with its keys sorted and in ASCII: what keys of runs are made of."""
        before, after = self._provenance.key_text.around_seed(self)
        return f"{before}{self.seed}{after}"

    def said(self) -> Layered:
        """Return the document without defaults, to be changed; tables within it are shared."""
        return Layered(dict(self._provenance.said), dict(self._provenance.origins))

    def read_before(self, section: str, name: str, entry: dict[str, Any]) -> Spec | None:
        """Return what an entry was read as, if it is the same table and would be read alike.

        Not so where it names a file, which may have gone, or a policy that may be rewritten.
        """
        if self._provenance.said.get(section, {}).get(name) is not entry or names_file(entry):
            return None
        known = self._provenance.node_types if section == "nodes" else getattr(self, section)
        spec: Spec = known[name]
        return None if isinstance(spec, Cluster | Workload) and not spec.is_settled else spec

    def with_provenance(self, provenance: Provenance) -> Self:
        """Return the same scenario with another account of where it came from."""
        copy = self.model_copy()
        copy._provenance = provenance
        return copy


def _is_seed(value: object) -> bool:
    try:
        SEED.plain(value)
    except ValueError:
        return False
    return True
