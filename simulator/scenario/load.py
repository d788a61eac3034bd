"""Loading scenarios: files and documents in, one checked scenario or all problems out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulator.errors import InputError, Issue, shown
from simulator.scenario.checks import problems_between, warnings_of
from simulator.scenario.clusters import Cluster
from simulator.scenario.document import (
    DEFAULT,
    REPLACED,
    SECTIONS,
    Document,
    Layered,
    expand_catalog,
    put_all,
)
from simulator.scenario.draft import Draft
from simulator.scenario.fields import plain_text
from simulator.scenario.layers import Place, laid, lay_parent
from simulator.scenario.model import SCHEMA, Provenance, Scenario, other_schema
from simulator.scenario.nodes import NodeType
from simulator.scenario.partly import read_partly
from simulator.scenario.paths import dotted
from simulator.scenario.reading import Reading
from simulator.scenario.sites import Site
from simulator.scenario.spec import Spec, issues_of, read_as
from simulator.scenario.study_tables import STUDIES, StudyFile, not_one, taken
from simulator.scenario.toml_reader import is_shallow
from simulator.scenario.workloads import Workload

_KINDS: Final[dict[str, type[Spec]]] = {
    "nodes": NodeType,
    "sites": Site,
    "clusters": Cluster,
    "workloads": Workload,
}


def load(
    path: str | Path,
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    check_files: bool = True,
    yes: bool = False,
    untrusted: bool = False,
) -> Scenario:
    """Load a scenario file.

    Parameters
    ----------
    path : path
        A TOML file.
    sets : iterable of str
        Replacements such as ``"clusters.train.count=256"``: a dotted path and a value in TOML,
        or else a plain text.
    seed : int, optional
        Replaces the file's seed.
    check_files : bool
        Whether the files that the scenario names must be there; not so when it is only looked at.
    yes : bool
        Whether sizes that are refused as too large are meant.
    untrusted : bool
        Whether to refuse files outside the scenario's folder.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    place = _place(path, check_files, yes, untrusted)
    layered, issues = laid(place, sets, seed)
    return _scenario(layered, place, issues)


def load_file(
    path: str | Path,
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    check_files: bool = True,
    yes: bool = False,
    untrusted: bool = False,
) -> StudyFile[Scenario]:
    """Load a scenario file with or without tables about many runs; parameters as for `load`.

    Raises
    ------
    InputError
        With every problem of the scenario, or if such a table is no table.
    """
    return read_file(
        path, sets, seed, check_files=check_files, yes=yes, untrusted=untrusted
    ).whole()


def read_file(
    path: str | Path,
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    check_files: bool = True,
    yes: bool = False,
    untrusted: bool = False,
) -> StudyFile[Scenario | Draft]:
    """Read a scenario file as far as it can be; parameters as for `load`.

    Its base is a `Draft` where it has problems, so that those of its tables can be told with them.

    Raises
    ------
    InputError
        If the file can't be read at all.
    """
    place = _place(path, check_files, yes, untrusted)
    layered, issues = laid(place, sets, seed)
    tables, origins = taken(layered, issues)
    base: Scenario | Draft
    try:
        base = _scenario(layered, place, issues)
    except InputError as error:
        base = Draft(place, layered, error.issues)
    return StudyFile(base, tables, origins)


def load_study(
    path: str | Path,
    table: str = "sweep",
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    check_files: bool = True,
    yes: bool = False,
    untrusted: bool = False,
) -> tuple[Scenario, dict[str, Any]]:
    """Load a scenario file that carries one table about many runs of it.

    Parameters
    ----------
    path : path
        A TOML file.
    table : str
        ``"sweep"`` or ``"optimize"``.
    sets : iterable of str
        Replacements, in the table too: ``"sweep.seeds=5"``.
    seed, check_files, yes, untrusted
        As for `load`.

    Returns
    -------
    base : Scenario
        What the file says beside such tables, valid by itself.
    table : dict
        As written, merged over that of the file that this one extends.

    Raises
    ------
    InputError
        With every problem of the scenario, or if the file has no such table.
    """
    found = read_file(path, sets, seed, check_files=check_files, yes=yes, untrusted=untrusted)
    said = found.table(table)
    return found.whole().base, said


def read_study(
    path: str | Path,
    table: str = "sweep",
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    yes: bool = False,
    untrusted: bool = False,
) -> tuple[Scenario | Draft, dict[str, Any]]:
    """Read a scenario file with one table about many runs; parameters as for `load_study`.

    Whoever makes something of a base that is a `Draft` refuses it, with the problems of both.

    Raises
    ------
    InputError
        If the file can't be read at all, or has no such table.
    """
    found = read_file(path, sets, seed, yes=yes, untrusted=untrusted)
    return found.base, found.table(table)


def _place(path: str | Path, check_files: bool, yes: bool, untrusted: bool) -> Place:
    return Place(str(path), Path(path).parent, Path(path), check_files, "", yes, untrusted)


def from_document(
    document: Mapping[str, Any],
    folder: str | Path = ".",
    source: str = "scenario",
    *,
    check_files: bool = True,
    yes: bool = False,
    untrusted: bool = False,
) -> Scenario:
    """Return the scenario that a document describes, a dict as TOML or JSON gives it.

    Parameters
    ----------
    document : mapping
        Keys and values as in a file: quantities are texts with their units. None says nothing.
    folder : path
        What relative file paths are relative to.
    source : str
        Name of the document in messages.
    check_files, yes, untrusted : bool
        As for `load`.

    Raises
    ------
    InputError
        With every problem of the document.
    """
    place = Place(source, Path(folder), None, check_files, "", yes, untrusted)
    tables = dict(document)
    if not is_shallow(tables):
        raise InputError(source, [Issue("", "nested too deeply for a scenario")])
    layered = Layered()
    lay_parent(layered, tables, place, ())
    layered.lay(tables, source)
    return _scenario(layered, place, [])


def replaced(
    scenario: Scenario, changes: Mapping[str, Any], *, check_files: bool = True
) -> Scenario:
    """Return a scenario with values replaced by dotted path; see `Scenario.replace`."""
    place = Place(
        scenario.source,
        scenario.folder,
        scenario.path,
        check_files,
        confirmed=scenario.reading.confirmed,
        untrusted=scenario.reading.untrusted,
    )
    said = scenario.said()
    issues = put_all(said, changes, REPLACED)
    return _scenario(said, place, issues, scenario)


def problems_of(draft: Draft, changes: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Return the problems of a draft with values replaced by dotted path."""
    said = Layered(dict(draft.layered.document), dict(draft.layered.origins))
    issues = put_all(said, changes, REPLACED)
    try:
        _scenario(said, draft.place, issues)
    except InputError as error:
        return error.issues
    return ()


def _scenario(
    layered: Layered, place: Place, issues: list[Issue], former: Scenario | None = None
) -> Scenario:
    """Return the scenario of a merged document, or raise every problem of it.

    Entries that stand in the document of the `former` scenario too are not read again.
    """
    _refuse_other_kinds(layered.document, place)
    expand_catalog(layered)
    document = layered.document
    reading = place.reading
    entries = {s: _entries(document, s, reading, issues, former) for s in SECTIONS}
    parts = {section: entries[section].whole for section in SECTIONS}
    head = {key: value for key, value in document.items() if key not in SECTIONS}
    scenario = None
    try:
        scenario = read_as(Scenario, head | parts, reading)
    except ValidationError as error:
        issues += issues_of(error)
    found = {section: entries[section].whole | entries[section].partly for section in SECTIONS}
    issues += problems_between(document, found, scenario, place.confirmed)
    if issues or scenario is None:
        raise InputError(place.source, _told(issues, layered, place))
    return _finished(scenario, layered, place)


def _finished(scenario: Scenario, layered: Layered, place: Place) -> Scenario:
    node_types = scenario.nodes
    used = {cluster.node for cluster in scenario.clusters.values()}
    unused = [name for name in node_types if name not in used]
    if unused:
        nodes = {name: node for name, node in node_types.items() if name in used}
        scenario = scenario.model_copy(update={"nodes": nodes})
    layered.forget()
    provenance = Provenance(
        said=layered.document,
        origins=layered.origins,
        node_types=node_types,
        warnings=warnings_of(scenario, unused),
        path=place.path,
        folder=place.folder,
        source=place.source,
        confirmed=place.confirmed,
        untrusted=place.untrusted,
        check_files=place.check_files,
    )
    return scenario.with_provenance(provenance)


@dataclass(frozen=True, slots=True)
class _Entries:
    """The entries of a section that could be read, and those with problems, as far as they can."""

    whole: dict[str, Spec] = field(default_factory=dict)
    partly: dict[str, Spec] = field(default_factory=dict)


def _entries(
    document: Document,
    section: str,
    reading: Reading,
    issues: list[Issue],
    former: Scenario | None,
) -> _Entries:
    """Return the entries of a section; note their problems."""
    table = document.get(section, {})
    if not isinstance(table, dict):
        text = f"{shown(table)} is not a table; write [{section}.NAME] and its keys below it"
        issues.append(Issue(section, text))
        return _Entries()
    found = _Entries()
    for name, entry in table.items():
        if former is not None and (spec := former.read_before(section, name, entry)) is not None:
            found.whole[name] = spec
            continue
        try:
            plain_text(name, "a name")
        except ValueError as error:
            issues.append(Issue(dotted((section, name)), str(error)))
        if not isinstance(entry, dict):
            where = dotted((section, name))
            text = f"{shown(entry)} is not a table; write [{where}] and its keys below it"
            issues.append(Issue(where, text))
            continue
        try:
            found.whole[name] = read_as(_KINDS[section], entry, reading)
        except ValidationError as error:
            issues += issues_of(error, section, name)
            if (spec := read_partly(_KINDS[section], entry, reading)) is not None:
                found.partly[name] = spec
    return found


def _refuse_other_kinds(document: Document, place: Place) -> None:
    """Refuse what is no scenario of this version, before its keys are looked at."""
    issues = []
    schema = document.get("schema", SCHEMA)
    if isinstance(schema, bool) or not isinstance(schema, int) or schema != SCHEMA:
        issues.append(Issue("schema", other_schema(schema)))
    issues += [Issue(name, not_one(name)) for name in STUDIES if name in document]
    if issues:
        raise InputError(place.source, issues)


def _told(issues: list[Issue], layered: Layered, place: Place) -> list[Issue]:
    """Return the problems in the order of their paths, saying where foreign values stand."""
    main = place.path.name if place.path is not None else place.source
    told = []
    for issue in sorted(set(issues)):
        origin = layered.origin_of(issue.path) or main
        foreign = origin not in (main, DEFAULT)
        told.append(Issue(issue.path, f"{issue.message} [{origin}]") if foreign else issue)
    return told
