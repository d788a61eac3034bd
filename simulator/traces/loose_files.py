"""Files that a command names rather than a scenario: what they are, told from their beginning."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulator.errors import InputError, Issue, listing, nearest
from simulator.formats import Glimpse
from simulator.grid_formats import PLAIN, grid_formats
from simulator.job_formats import job_formats
from simulator.scenario.files import resolve
from simulator.scenario.grid import GridFile
from simulator.scenario.paths import dotted
from simulator.scenario.reading import Reading
from simulator.scenario.spec import issues_of
from simulator.scenario.workloads import JobFile
from simulator.traces.glimpse import format_of, glimpse_of, grid_format_of
from simulator.traces.grid_formats.csv import time_and_value

_GRAMS: Final = re.compile(r"(?i)(?<![a-z])g_per_kwh|gco.?2?.*kwh")


def place(text: str) -> Path:
    """Return where a file lies that a command names; ``data:`` paths as in a scenario.

    Raises
    ------
    InputError
        If the data folder is not known.
    """
    try:
        return resolve(text, Reading())
    except ValueError as error:
        raise InputError(text, [Issue("", str(error))]) from error


def job_file(text: str, form: str | None, options: Mapping[str, Any]) -> JobFile | None:
    """Return a file of jobs as a command names it, or None if it looks like none.

    Parameters
    ----------
    text : str
        The path.
    form : str or None
        Name of its format; None to tell it from the file.
    options : mapping
        Keys of a scenario's `jobs` table; those that are None or empty are not said.

    Raises
    ------
    InputError
        If the format is unknown, or an option is not for it.
    """
    path = place(text)
    if form is None:
        form = format_of(path)
    if form is None and options.get("columns"):
        glimpse = glimpse_of(path)
        form = "parquet" if glimpse and glimpse.head.startswith(b"PAR1") else "csv"
    if form is None:
        return None
    if form not in job_formats():
        near = nearest(form, job_formats())
        meant = f"did you mean {near}? " if near else ""
        rule = f"{form} is no format of jobs; {meant}known are {listing(job_formats())}"
        raise InputError(text, [Issue("format", rule)])
    said = {key: value for key, value in options.items() if value}
    try:
        return JobFile(text=text, path=path, format=form, **said)
    except ValidationError as error:
        raise InputError(text, issues_of(error)) from error


def is_grid(text: str, form: str | None, *, said: bool) -> bool:
    """Return whether a file that a command names is a grid trace, and no trace of jobs.

    Parameters
    ----------
    text : str
        The path.
    form : str or None
        Name of its format; some are of both kinds, which the file then tells apart.
    said : bool
        Whether something was said that only grid traces have.
    """
    if said:
        return True
    jobs, grids = job_formats(), grid_formats()
    if form is not None and (form in jobs) != (form in grids):
        return form in grids
    path = place(text)
    of_jobs, of_grids = format_of(path), grid_format_of(path)
    if form is not None:
        return of_grids == form and of_jobs != form
    return of_jobs is None and of_grids is not None


def grid_file(text: str, form: str | None, said: Mapping[str, Any]) -> GridFile | None:
    """Return a file of intensities as a command names it, or None if it looks like none.

    Parameters
    ----------
    text : str
        The path.
    form : str or None
        Name of its format; None to tell it from the file.
    said : mapping
        Keys of a scenario's table; ``time``, ``value`` and ``unit`` of a plain file are told from
        the names of the columns where they are not said.

    Raises
    ------
    InputError
        If a key is refused.
    """
    path = place(text)
    table = {key: value for key, value in said.items() if value}
    if form is None:
        form = grid_format_of(path)
        own = [key for key in ("time", "value", "unit") if key in table]
        if own and form not in (None, PLAIN):
            rule = f"the file is {form}, which says it itself; leave it out, or say --format csv"
            raise InputError(text, [Issue(f"--{key}", rule) for key in own])
    if form in (None, PLAIN):
        form = PLAIN
        table |= _told(path, table)
        if not {"time", "value"} <= table.keys():
            return None
        if "unit" not in table:
            rule = f"the unit of {table['value']} is not known; say it, e.g. --unit g/kWh"
            raise InputError(text, [Issue("--unit", rule)])
    table["format"] = form
    issues = [Issue(f"--{dotted(where)}", rule) for where, rule in GridFile.rules(table)]
    if issues:
        raise InputError(text, issues)
    try:
        return GridFile(text=text, path=path, **table)
    except ValidationError as error:
        raise InputError(text, issues_of(error)) from error


def _told(path: Path, said: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of a plain file and its unit, as far as their names tell."""
    time, value = time_and_value(glimpse_of(path) or Glimpse(b"", ()))
    found = {"time": time, "value": value}
    told = {key: name for key, name in found.items() if name is not None and key not in said}
    if "unit" not in said and _GRAMS.search(said.get("value", told.get("value", ""))):
        told["unit"] = "g/kWh"
    return told
