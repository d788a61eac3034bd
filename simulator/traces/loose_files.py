"""Files that a command names rather than a scenario: what they are, told from their beginning."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulator.errors import InputError, Issue, listing, nearest
from simulator.job_formats import Glimpse, job_formats
from simulator.scenario.files import resolve
from simulator.scenario.grid import GridFile
from simulator.scenario.reading import Reading
from simulator.scenario.spec import issues_of
from simulator.scenario.workloads import JobFile
from simulator.traces.glimpse import format_of, glimpse_of

_TIME: Final = re.compile(r"(?i)^(date|time|datetime|timestamp)\b|^timestamp_|^datetime")
_VALUE: Final = re.compile(r"(?i)g_per_kwh|carbon.?intensity|avg_?ci$|^ci$|moer")
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


def grid_file(text: str, said: Mapping[str, Any]) -> GridFile | None:
    """Return a file of intensities as a command names it, or None if it looks like none.

    Parameters
    ----------
    text : str
        The path.
    said : mapping
        Keys of a scenario's table; ``time``, ``value`` and ``unit`` are told from the names of the
        columns where they are not said.

    Raises
    ------
    InputError
        If a key is refused.
    """
    path = place(text)
    glimpse = glimpse_of(path) or Glimpse(b"", ())
    told = {key: value for key, value in said.items() if value}
    for key, pattern in (("time", _TIME), ("value", _VALUE)):
        found = next((name for name in glimpse.columns if pattern.search(name)), None)
        if key not in told and found is not None:
            told[key] = found
    if "unit" not in told and _GRAMS.search(told.get("value", "")):
        told["unit"] = "g/kWh"
    if not {"time", "value"} <= told.keys():
        return None
    if "unit" not in told:
        rule = f"the unit of {told['value']} is not known; say it, e.g. --unit g/kWh"
        raise InputError(text, [Issue("--unit", rule)])
    try:
        return GridFile(text=text, path=path, **told)
    except ValidationError as error:
        raise InputError(text, issues_of(error)) from error
