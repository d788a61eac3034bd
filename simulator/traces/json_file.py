"""JSON files, plain or gzipped, with every fault of form refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.traces.findings import Findings, row_list
from simulator.traces.table_file import open_text

if TYPE_CHECKING:
    from numpy.typing import NDArray


def open_json(path: Path, findings: Findings) -> tuple[Any, str]:
    """Return the document of a JSON file, and the SHA-256 of the file's bytes.

    Raises
    ------
    InputError
        If it is missing, unreadable, broken, empty or no JSON.
    """
    content, sha256 = open_text(path, findings)
    try:
        return json.loads(content), sha256
    except json.JSONDecodeError as error:
        findings.stop(f"no JSON: {error.msg} in line {error.lineno}, column {error.colno}")
    except RecursionError:
        findings.stop("no JSON of jobs: nested too deeply")


def entries_of(
    document: Any, what: str, keys: Sequence[str], findings: Findings
) -> tuple[list[dict[str, Any]], "NDArray[np.int64]"]:
    """Return the objects of a list that have certain keys, and their places, from 1.

    Those that lack a key, or are no objects, are among the findings.

    Raises
    ------
    InputError
        If it is no list, or an empty one.
    """
    if not isinstance(document, list):
        findings.stop(f"{what} must be a list of objects")
    if not document:
        findings.stop(f"the list of {what} is empty")
    whole = np.array([isinstance(entry, dict) for entry in document], bool)
    rows = np.arange(1, len(document) + 1, dtype=np.int64)
    if not whole.all():
        findings.refuse(f"{what}: no object in {row_list(rows[~whole])}")
    entries = [entry for entry in document if isinstance(entry, dict)]
    rows = rows[whole]
    for key in keys:
        lacking = np.array([key not in entry for entry in entries], bool)
        if lacking.any():
            findings.refuse(f"{what}: no {key} in {row_list(rows[lacking])}")
    return entries, rows
