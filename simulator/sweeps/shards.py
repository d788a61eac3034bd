"""Shards: files that one worker appends rows to, and that everyone reads."""

import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from simulator.sweeps.rows import Row, line_of, row_of

FOLDER: Final = "shards"
ENDING: Final = ".jsonl"


class Shard:
    """The file that one process appends its rows to; made when the first row is written.

    A line is written in one call, so a process that dies leaves at most its last line torn.
    """

    def __init__(self, folder: Path, sweep: str) -> None:
        self._folder = folder / FOLDER
        self._sweep = sweep
        self._handle = -1
        self.path: Path | None = None

    def append(self, row: Row) -> None:
        """Write one row.

        Raises
        ------
        OSError
            If the disk refuses it.
        """
        if self._handle < 0:
            self._open()
        line = line_of(row, self._sweep)
        try:
            while line:  # once, unless the disk has room for a part: it then says why
                line = line[os.write(self._handle, line) :]
        except OSError as error:
            # A line after a torn one would be read as damage too; leave this file alone.
            self.close()
            raise _at(error, self.path) from error

    def sync(self) -> None:
        """Bring what was written to the disk."""
        if self._handle >= 0:
            try:
                os.fsync(self._handle)
            except OSError as error:
                raise _at(error, self.path) from error

    def close(self) -> None:
        """Let go of the file; a row that is written later begins another."""
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            os.close(handle)

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        for number in itertools.count():
            name = f"{owner()}-{number}{ENDING}"
            try:
                self._handle = os.open(self._folder / name, flags, 0o644)
            except FileExistsError:
                continue
            self.path = self._folder / name
            return


def owner() -> str:
    """Return what the names of this process's shards begin with."""
    return f"{socket.gethostname()}-{os.getpid()}"


def rows_of_process(folder: Path, sweep: str, pid: int) -> Iterator[Row]:
    """Yield the rows of a sweep that a process of this machine has written."""
    for path in sorted((folder / FOLDER).glob(f"{socket.gethostname()}-{pid}-*{ENDING}")):
        for read in read_shard(path):
            if read is not None and read[0] == sweep:
                yield read[1]


def shard_files(folder: Path) -> list[Path]:
    """Return the shards of a sweep in the order of their names."""
    return sorted((folder / FOLDER).glob(f"*{ENDING}"))


def read_shard(path: Path) -> Iterator[tuple[str, Row] | None]:
    """Yield the sweep's digest and the row of every line; None for a line that is damaged.

    A torn last line, which a process that died leaves, is no damage and is left out.
    """
    with path.open("rb") as file:
        for line in file:
            found = row_of(line)
            if found is not None or line.endswith(b"\n"):
                yield found


def _at(error: OSError, path: Path | None) -> OSError:
    """Return an error of the disk with the file that it is about."""
    return OSError(error.errno, error.strerror, str(path))
