"""The catalog: machines, grids, workloads, fuels, parts, storage; with unit, source, year.

The figures stand in the TOML files beside this one (one for each of `KINDS`, their sources in
``sources.toml`` and ``supply_sources.toml``) and in ``month_hour_profiles.csv``; this module only
hands them out. To add a machine, a grid, a workload, a fuel, a part or a storage, add it there.
"""

import copy
import csv
import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from simulator.errors import listing, nearest, shown

KINDS: Final = ("nodes", "grids", "workloads", "fuels", "parts", "storage", "generation")
"""What the catalog holds; one TOML file each."""

Basis = Literal["average", "marginal"]

_ABOUT: Final = ("title", "caveats")
_SUPPLY: Final = ("generation.toml", "storage.toml", "supply_sources.toml")
"""Files that only scenarios with supply depend on: the digests of other sweeps leave them out."""
_HOURS: Final = 12 * 24


class UnknownNameError(KeyError):
    """A name that the catalog does not hold; the message offers the nearest one.

    Parameters
    ----------
    name : str
        The name asked for.
    what : str
        What it should have been, e.g. ``"node type"``.
    known : iterable of str
        The names there are.
    """

    def __init__(self, name: str, what: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        near = nearest(name, self.known)
        hint = f"did you mean '{near}'?" if near else f"the catalog holds {listing(self.known)}"
        self.message = f"{shown(name)} is not a {what} of the catalog; {hint}"
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the catalog, with what must be known to use it.

    Attributes
    ----------
    kind, name, key : str
        Where it stands, e.g. ``"nodes"``, ``"hgx-a100"``, ``"idle_power"``.
    value : float
        The number, in `unit`.
    unit : str
    source : str
        Citation of the source.
    year : int
        Year of the source.
    licence : str or None
        Of a table of numbers that was carried over.
    low, high : float or None
        Range, in `unit`.
    assumption : bool
        Whether it is an assumption rather than a published figure.
    note : str
    """

    kind: str
    name: str
    key: str
    value: float
    unit: str
    source: str
    year: int
    licence: str | None
    low: float | None
    high: float | None
    assumption: bool
    note: str


def names(kind: str) -> list[str]:
    """Return the names of one kind, one of `KINDS`."""
    return list(_table(kind))


@cache
def sha256() -> str:
    """Return the SHA-256 of all that the catalog holds, but for storage and generation."""
    return _sha256(path for path in _files() if path.name not in _SUPPLY)


@cache
def supply_sha256() -> str:
    """Return the SHA-256 of what the catalog holds of storage and generation."""
    return _sha256(path for path in _files() if path.name in _SUPPLY)


def _files() -> list[Path]:
    files = Path(__file__).parent.glob("*.*")
    return sorted(path for path in files if path.suffix in {".toml", ".csv"})


def _sha256(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def node(name: str) -> dict[str, Any]:
    """Return a node type as the table ``[nodes.NAME]`` of a scenario would say it.

    Its ``source`` names where the figures come from, in short; `entries` has the citations.

    Raises
    ------
    UnknownNameError
        If there is no such node type.
    """
    entry = _find("nodes", "node type", name)
    table = {key: plain for key, plain in _plain(entry).items() if key not in _ABOUT}
    cited = dict.fromkeys(_cited(entry))
    sources = "; ".join(_table("sources")[source]["short"] for source in cited)
    return {**table, "source": f"catalog {name}: {sources}"}


def workload(name: str) -> dict[str, Any]:
    """Return a published workload: its law under ``gpu_days``, with title, source and caveats.

    Raises
    ------
    UnknownNameError
        If there is no such workload.
    """
    entry = _find("workloads", "workload", name)
    plain = _plain(entry)
    figures = list(_figures("workloads", name, entry))
    return {
        "gpu_days": plain["gpu_days"],
        "title": plain["title"],
        "source": figures[0].source,
        "year": figures[0].year,
        "caveats": plain["caveats"],
    }


def grid(name: str) -> dict[str, Any]:
    """Return a grid: its profile under ``mean_g_per_kwh``, with basis, factor, mix and provenance.

    ``mean_g_per_kwh`` holds 288 numbers, month after month, 24 hours each, UTC. [g/kWh]

    Raises
    ------
    UnknownNameError
        If there is no such grid.
    """
    entry = _find("grids", "grid", name)
    source = _table("sources")[entry["source"]]
    return {
        "title": entry["title"],
        "basis": entry["basis"],
        "factor": entry["factor"],
        "mix": entry["mix"],
        "mean_g_per_kwh": profile(entry["profile"]),
        "source": source["cite"],
        "year": source["year"],
        "licence": source["licence"],
        "caveats": list(entry["caveats"]),
    }


def grid_basis(name: str) -> Basis:
    """Return whether a grid of the catalog is an average or a marginal intensity."""
    basis: Basis = _find("grids", "grid", name)["basis"]
    return basis


def fuel_factors(factor: str) -> dict[str, float]:
    """Return the emission factor of each fuel. [g/kWh].

    Parameters
    ----------
    factor : str
        ``"life-cycle"`` or ``"direct"``.
    """
    return {
        name: figure.value
        for name in names("fuels")
        for figure in entries(name)
        if figure.key == factor
    }


def part(name: str) -> dict[str, Any]:
    """Return what a part of a node takes to make, each figure as its bare value.

    Raises
    ------
    UnknownNameError
        If there is no such part.
    """
    plain: dict[str, Any] = _plain(_find("parts", "part", name))
    return plain


def storage(name: str) -> dict[str, Any]:
    """Return a kind of storage as the table of a site's battery would say it.

    Raises
    ------
    UnknownNameError
        If there is no such storage.
    """
    plain = _plain(_find("storage", "storage", name))
    return {key: value for key, value in plain.items() if key not in _ABOUT}


def generation(name: str) -> dict[str, float]:
    """Return how a plant makes power: that of ``"photovoltaics"`` or of a ``"wind-turbine"``."""
    plain = _plain(_find("generation", "kind of plant", name))
    return {key: value for key, value in plain.items() if key not in _ABOUT}


def entry(name: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of a name and its whole entry, figures with their sources included.

    Raises
    ------
    UnknownNameError
        If the catalog does not hold the name.
    """
    for kind in KINDS:
        if name in _table(kind):
            return kind, copy.deepcopy(_table(kind)[name])
    raise UnknownNameError(name, "name", [known for kind in KINDS for known in _table(kind)])


def entries(name: str | None = None) -> tuple[Figure, ...]:
    """Return every figure of the catalog, or of one of its names, in the order of the files."""
    found = [(kind, known) for kind in KINDS for known in _table(kind) if name in (None, known)]
    if name is not None and not found:
        entry(name)
    return tuple(
        figure for kind, known in found for figure in _figures(kind, known, _table(kind)[known])
    )


@cache
def profile(region: str) -> tuple[float, ...]:
    """Return the mean intensity by UTC month and hour of a region, 288 numbers in g/kWh."""
    with Path(__file__).with_name("month_hour_profiles.csv").open(encoding="utf-8") as file:
        means = tuple(
            float(row["mean_g_per_kwh"]) for row in csv.DictReader(file) if row["region"] == region
        )
    if len(means) != _HOURS:
        raise ValueError(f"the profile {region!r} holds {len(means)} hours; it needs {_HOURS}")
    return means


@cache
def _sources() -> dict[str, Any]:
    supply: dict[str, Any] = _read("supply_sources")["sources"]
    return _table("sources") | supply


@cache
def _table(kind: str) -> dict[str, Any]:
    table: dict[str, Any] = _read(kind)[kind]
    return table


def _read(name: str) -> dict[str, Any]:
    with Path(__file__).with_name(f"{name}.toml").open("rb") as file:
        document: dict[str, Any] = tomllib.load(file)
    return document


def _find(kind: str, what: str, name: str) -> dict[str, Any]:
    table = _table(kind)
    if name not in table:
        raise UnknownNameError(name, what, table)
    found: dict[str, Any] = table[name]
    return found


def _plain(value: Any) -> Any:
    """Return an entry with each figure replaced by its bare value."""
    if isinstance(value, dict):
        if "value" in value:
            return value["value"]
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _cited(value: Any) -> Iterator[str]:
    """Yield the source of every figure of an entry."""
    if isinstance(value, dict):
        if "value" in value:
            yield value["source"]
        else:
            yield from (source for item in value.values() for source in _cited(item))
    elif isinstance(value, list):
        yield from (source for item in value for source in _cited(item))


def _figures(kind: str, name: str, value: Any, key: str = "") -> Iterator[Figure]:
    if isinstance(value, dict) and "value" in value:
        yield _figure(kind, name, key, value)
    elif isinstance(value, dict):
        for part, item in value.items():
            yield from _figures(kind, name, item, f"{key}.{part}" if key else part)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            label = item.get("name", number) if isinstance(item, dict) else number
            yield from _figures(kind, name, item, f"{key}[{label}]")


def _figure(kind: str, name: str, key: str, said: dict[str, Any]) -> Figure:
    source = _sources()[said["source"]]
    value, unit = _number(said["value"])
    return Figure(
        kind=kind,
        name=name,
        key=key,
        value=value,
        unit=unit or said["unit"],
        source=source["cite"],
        year=source["year"],
        licence=source.get("licence"),
        low=_number(said["low"])[0] if "low" in said else None,
        high=_number(said["high"])[0] if "high" in said else None,
        assumption=said.get("assumption", False),
        note=said.get("note", ""),
    )


def _number(value: str | float) -> tuple[float, str]:
    """Split ``"1.4 kW"`` into number and unit; a bare number has none."""
    if not isinstance(value, str):
        return float(value), ""
    number, unit = value.split(" ", 1)
    return float(number), unit
