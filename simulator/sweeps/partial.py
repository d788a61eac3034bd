"""Files that appear whole or not at all: written beside their place and put there at the end."""

import hashlib
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

ENDING: Final = ".partial"


def replaced(
    path: Path, write: Callable[[Path], None], *, ready: Callable[[str], None] = lambda _: None
) -> str:
    """Write a file, bring it to the disk and put it in place; return its SHA-256.

    Parameters
    ----------
    path : Path
    write : callable
        Writes the file at the path it is given.
    ready : callable, optional
        Told the SHA-256 when all is on the disk, just before the file is put in place.

    Raises
    ------
    OSError
        If the disk refuses, with the path; what stood there still stands.
    """
    # Processes of several machines may write beside one another, and share their numbers.
    partial = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}{ENDING}")
    try:
        write(partial)
        digest = file_digest(partial)
        _sync(partial)
        ready(digest)
        os.replace(partial, path)  # noqa: PTH105 - the one call that is atomic everywhere
        _sync(path.parent)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(
                error.errno, os.strerror(error.errno), error.filename or str(path)
            ) from error
        raise
    return digest


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    replaced(path, lambda partial: _write(partial, text))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
