"""The folder of results: where it lies, and how it is written whole or not at all."""

import hashlib
import itertools
import os
import shutil
import string
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from simulator.errors import InputError, Issue

RESULT_FILES: Final = frozenset(
    {
        "manifest.json",
        "scenario.toml",
        "summary.json",
        "jobs.parquet",
        "hourly.parquet",
        "nodes.parquet",
        "supply.parquet",
        "report.html",
        "columns.csv",
        "figures",
    }
)
"""What a run writes; a folder that holds anything else is never overwritten."""

SUBFOLDERS: Final = {
    "figures": frozenset({".png", ".svg"}),
    "scenarios": frozenset({".toml"}),
}
"""Endings of the files in each folder among the results."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a folder is the results of.

    Attributes
    ----------
    name : str
        Of what wrote it.
    files : frozenset of str
        Files and folders that it writes.
    """

    name: str
    files: frozenset[str]


RUN: Final = Kind("run", RESULT_FILES)
COMPARISON: Final = Kind(
    "comparison",
    frozenset(
        {
            "manifest.json",
            "comparison.csv",
            "comparison.json",
            "runs.parquet",
            "figures",
            "scenarios",
        }
    ),
)
OPTIMISATION: Final = Kind(
    "optimisation",
    frozenset({"manifest.json", "study.toml", "trials.parquet", "front.csv", "figures"}),
)

_SLUG_LENGTH: Final = 44
"""With ``runs/``, the key and the file name, a line of the terminal summary holds it whole."""
_HASH_LENGTH: Final = 8
_SLUG_LETTERS: Final = frozenset(string.ascii_lowercase + string.digits + "-_")

Writer = Callable[[Path], None]
"""Writes one file at the path it is given."""


def run_folder(name: str, key: str) -> Path:
    """Return the default folder of a run, ``runs/<slug>-<key8>``.

    Parameters
    ----------
    name : str
        Name of the scenario; any text.
    key : str
        Address of the run in hexadecimal digits.
    """
    return Path("runs") / f"{slug(name)}-{key[:8]}"


def slug(name: str) -> str:
    """Return a name that is safe as a file name and distinct where names are.

    Lower-case ASCII letters, digits, hyphens and underscores, at most 44 of them; the last are
    a hash of the name where anything had to change, so that ``A`` and ``a`` do not meet.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    kept = "".join(char if char in _SLUG_LETTERS else "-" for char in plain)
    whole = "-".join(part for part in kept.split("-") if part)
    if name and whole == name and len(name) <= _SLUG_LENGTH:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    short = whole[: _SLUG_LENGTH - _HASH_LENGTH - 1].strip("-") or "run"
    return f"{short}-{digest}"


def check_folder(folder: str | Path, *, overwrite: bool = False, kind: Kind = RUN) -> None:
    """Refuse a folder that results can't be written to; to be asked before simulating.

    Nothing is left behind: a folder is made and removed again beside the one asked for,
    because permission bits alone do not tell (read-only disks, quotas, the super-user).

    Raises
    ------
    InputError
        If it is a link, a file, a mount point or the current folder, holds anything (unless
        `overwrite` and all of it is results of that kind), or its parent can't be written to.
    """
    try:
        path = _place(folder)
        rule = _refusal(path, kind, overwrite=overwrite)
        if rule is None:
            _try_making(path)
    except (OSError, ValueError) as error:
        rule = _reason(error)
    if rule is not None:
        raise InputError("output folder", [Issue(str(Path(folder)), rule)])


def write_folder(
    folder: str | Path,
    writers: Mapping[str, Writer],
    *,
    overwrite: bool = False,
    kind: Kind = RUN,
) -> None:
    """Write files into a folder that appears whole or not at all.

    Everything is written into a temporary folder beside it, brought to the disk, and renamed.

    Parameters
    ----------
    folder : path
    writers : mapping of str to callable
        By the file's name inside the folder, with ``/`` for sub-folders.
    overwrite : bool
        Replace earlier results of the kind.
    kind : Kind
        What the folder is the results of.

    Raises
    ------
    InputError
        As `check_folder`, and if the disk refuses a file.
    """
    check_folder(folder, overwrite=overwrite, kind=kind)
    final = _place(folder)
    try:
        with _made_parents(final.parent), _temporary(final.parent) as whole:
            for name, writer in writers.items():
                _write_file(whole, name, writer, kind)
            _sync(whole)
            _rename(whole, final)
    except OSError as error:
        raise InputError("output folder", [Issue(str(folder), _reason(error))]) from error


def _place(folder: str | Path) -> Path:
    """Return where a folder lies, without the ``..`` that leads through folders yet to be made."""
    path = Path(folder).absolute()
    if ".." not in path.parts:
        return path
    try:
        return path.resolve()
    except RuntimeError as error:  # links that lead in a circle
        raise ValueError("its links lead in a circle") from error


def _refusal(path: Path, kind: Kind, *, overwrite: bool) -> str | None:
    if path.is_symlink():
        return "is a link; name the folder itself, results are not written through links"
    if not path.exists():
        return None
    if not path.is_dir():
        return "is a file; name a folder"
    if os.path.ismount(path):
        return "is a mount point and can't be replaced; name a folder inside it"
    if Path.cwd().is_relative_to(path.resolve()):
        return "is the current folder and can't be replaced; name a folder inside it"
    return _occupied(path, kind, overwrite=overwrite)


def _occupied(path: Path, kind: Kind, *, overwrite: bool) -> str | None:
    found = sorted(entry.name for entry in path.iterdir())
    if not found:
        return None
    foreign = [name for name in found if not _is_of(kind, path / name)]
    if not foreign and "manifest.json" not in found:
        foreign = found
    if foreign:
        shown = ", ".join(repr(name) for name in foreign[:3])
        return f"holds files that no {kind.name} wrote ({shown}); name another folder"
    if overwrite:
        return None
    return f"holds the results of another {kind.name}; name another folder, or add --overwrite"


def _is_of(kind: Kind, entry: Path) -> bool:
    """Return whether results of the kind hold what lies there: a file, or a folder of some."""
    endings = SUBFOLDERS.get(entry.name)
    if endings is None:
        return entry.name in kind.files and entry.is_file()
    inside = entry.iterdir() if entry.is_dir() and not entry.is_symlink() else iter([entry])
    return entry.name in kind.files and all(
        file.suffix in endings and file.is_file() for file in inside
    )


def _try_making(path: Path) -> None:
    """Make and remove a folder above the path, where its own would be made.

    Raises
    ------
    OSError, ValueError
        If no folder can be made there, or a part of the path can't be a name.
    """
    nearest = path.parent
    while not nearest.exists() and nearest != nearest.parent:
        if nearest.is_symlink():
            raise ValueError(f"{nearest.name} is a link that leads nowhere")
        nearest = nearest.parent
    for part in path.relative_to(nearest).parts:
        with suppress(FileNotFoundError):
            os.lstat(nearest / part)
    with _temporary(nearest):
        pass


def _reason(error: OSError | ValueError) -> str:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"can't be written to ({words.lower()}); name another folder"


@contextmanager
def _temporary(parent: Path) -> Iterator[Path]:
    """Make a folder of our own, and remove it whatever happens, unless it was renamed."""
    for number in itertools.count():
        path = parent / f".fleetsim-{os.getpid()}-{number}.partial"
        try:
            path.mkdir()
            break
        except FileExistsError:
            continue
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _made_parents(folder: Path) -> Iterator[None]:
    """Make the folder and what is missing above it; take it back if the writing fails."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in missing:
            try:
                path.rmdir()
            except OSError:
                break
        raise


def _write_file(folder: Path, name: str, writer: Writer, kind: Kind) -> None:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or inside.parts[0] not in kind.files:
        raise ValueError(f"{name!r} is not a file of a {kind.name}")
    path = folder / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    writer(path)
    _sync(path)
    if path.parent != folder:
        _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename(whole: Path, final: Path) -> None:
    """Put the finished folder in place; the earlier one, if any, comes back on failure."""
    earlier = whole.with_suffix(".replaced")
    try:
        if final.exists() and any(final.iterdir()):
            final.rename(earlier)
        whole.rename(final)
    except BaseException:
        if earlier.exists() and not final.exists():
            earlier.rename(final)
        raise
    _sync(final.parent)
    shutil.rmtree(earlier, ignore_errors=True)
