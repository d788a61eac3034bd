"""Files that appear whole or not at all: written beside their place and put there at the end."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

ENDING: Final = ".partial"


def replaced(path: Path, write: Callable[[Path], None]) -> str:
    """Write a file, bring it to the disk and put it in place; return its SHA-256.

    Raises
    ------
    OSError
        If the disk refuses; what stood there still stands.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{ENDING}")
    try:
        write(partial)
        digest = file_digest(partial)
        _sync(partial)
        os.replace(partial, path)  # noqa: PTH105 - the one call that is atomic everywhere
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync(path.parent)
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
