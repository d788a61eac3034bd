"""The SHA-256 of every file that a run's figures stand in, by which a changed one is known."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from simulator.errors import Issue

SEALED: Final = (
    "scenario.toml",
    "summary.json",
    "jobs.parquet",
    "hourly.parquet",
    "nodes.parquet",
)
"""Files that the manifest seals; report and figures may be made again."""


def seals_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each sealed file of a folder."""
    return {name: file_sha256(folder / name) for name in SEALED}


def broken_seals(folder: Path, seals: Mapping[str, str]) -> list[Issue]:
    """Return a problem for each file that is not what its seal says."""
    rule = "not what the run wrote: its SHA-256 is not the manifest's; run its scenario again"
    return [
        Issue(name, rule)
        for name in SEALED
        if name in seals and file_sha256(folder / name) != seals[name]
    ]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
