"""The folder of a sweep: its file, the shards of its workers, and one table in the end."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from simulator.errors import InputError, Issue
from simulator.plans.digest import Fingerprint
from simulator.scenario.model import Scenario
from simulator.sweeps import lock, shards
from simulator.sweeps.known import NAME as KNOWN_FILE
from simulator.sweeps.known import write_known
from simulator.sweeps.ledger import Ledger
from simulator.sweeps.partial import ENDING as PARTIAL
from simulator.sweeps.partial import file_digest, replaced, write_text
from simulator.sweeps.rows import Row
from simulator.sweeps.table import OtherVersionError, fill, read_results, rows_in, write_results
from simulator.sweeps.worker import KEPT, TOKEN

RESULTS: Final = "results.parquet"
INDEX: Final = "results.json"
SWEEP: Final = "sweep.toml"
NEXT: Final = "next"
"""Key of the index: the same of the table that is about to take the place of this one."""
VERSION: Final = 1
"""Version of what a folder of a sweep holds."""

OURS: Final = frozenset(
    {RESULTS, INDEX, SWEEP, TOKEN, KNOWN_FILE, KEPT, shards.FOLDER, lock.NAME, "manifest.json"}
    | {"columns.csv", "figures"}
)


@dataclass(slots=True)
class Found:
    """What a folder knew when it was opened.

    Attributes
    ----------
    ledger : Ledger
    damaged : list of str
        Files with lines that were torn or changed; their rows are run again.
    waiting : list of Row
        Rows whose runs other sweeps have finished, until all of them are read.
    other_table : bool
        Whether the table that stands there is of another sweep.
    """

    ledger: Ledger
    damaged: list[str] = field(default_factory=list)
    waiting: list[Row] = field(default_factory=list)
    other_table: bool = False


class Stored(Protocol):
    """What a folder is made for: rows, counted and named."""

    @property
    def base(self) -> Scenario:
        """The scenario that gives it its name."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What decides which runs these are, and the files among it."""

    def __len__(self) -> int: ...

    def to_toml(self) -> str:
        """Return a file that gives the same again."""


class Store:
    """The folder of one sweep.

    Parameters
    ----------
    folder : Path
    plan : Stored

    Attributes
    ----------
    digest : str
        Of the plan, which takes a moment to work out.
    files : mapping of Path to str
        SHA-256 of every file that the plan names, as the digest has it.
    """

    def __init__(self, folder: Path, plan: Stored) -> None:
        self.folder = folder
        self.plan = plan
        found = plan.fingerprint
        self.digest, self.files = found.digest, found.files
        self._own = shards.Shard(folder, self.digest)

    @property
    def token(self) -> str:
        """What the folder's own file says."""
        return (self.folder / TOKEN).read_text(encoding="utf-8")

    @contextmanager
    def opened(self, shard: str | None = None) -> Iterator[None]:
        """Make the folder ready and hold it.

        Raises
        ------
        InputError
            If it can't be written to, holds something else, or another process holds it.
        """
        check_store(self.folder)
        missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        with ExitStack() as held:
            held.callback(self._own.close)
            held.push(partial(self._unmake, missing))
            try:
                (self.folder / shards.FOLDER).mkdir(parents=True, exist_ok=True)
                held.enter_context(lock.held(self.folder, shard=shard))
                if shard is None:
                    self._sweep_out()
                self._sign()
            except OSError as error:
                raise _refused(self.folder, error) from error
            yield

    def _unmake(self, made: list[Path], kind: type[BaseException] | None, *_: object) -> None:
        """Take a folder back that was made for nothing: a refusal leaves nothing behind."""
        if kind is None or not issubclass(kind, InputError) or self.folder not in made:
            return
        if not shards.shard_files(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)
            for path in made[1:]:
                with suppress(OSError):
                    path.rmdir()

    def scan(self, *, whole: bool = False) -> Found:
        """Read what is known: the table, and what shards say beyond it.

        Parameters
        ----------
        whole : bool
            Whether to read also the shards whose rows the table has.
        """
        found = Found(Ledger(len(self.plan)))
        covered = self._read_table(found)
        covered = {} if whole else covered
        for path in shards.shard_files(self.folder):
            if covered.get(path.name) != path.stat().st_size:
                self._read_shard(path, found)
        for row in found.waiting:  # of runs that another shard tells of
            found.ledger.put(row)
        return found

    def list_known(self, ledger: Ledger) -> None:
        """Tell the workers which runs other sweeps of the folder have finished."""
        write_known(self.folder, ledger.elsewhere if len(ledger.open_rows) else ())

    def record(self, row: Row) -> None:
        """Write a row that no worker has written."""
        self._own.append(row)

    def compact(self, table: pa.Table) -> None:
        """Write every row into one table; the same rows give the same bytes, whoever found them.

        Raises
        ------
        OSError
            If the disk refuses.
        """
        self._own.sync()
        before = self._standing()
        index = {
            "sweep": self.digest,
            "rows": table.num_rows,
            "sha256": "",
            "shards": {p.name: p.stat().st_size for p in shards.shard_files(self.folder)},
        }

        def announce(digest: str) -> None:
            """Let either table count while one takes the place of the other."""
            index["sha256"] = digest
            if before is not None:
                self._write_index({**before, NEXT: index})

        write = partial(write_results, table)
        replaced(self.folder / RESULTS, write, ready=announce)
        self._write_index(index)

    def _standing(self) -> dict[str, Any] | None:
        """Return what the index says of the table that stands there; None if it fits none."""
        index = read_index(self.folder)
        with suppress(OSError):
            digest = file_digest(self.folder / RESULTS)
            for each in (index, (index or {}).get(NEXT)):
                if each is not None and each["sha256"] == digest:
                    return {name: each[name] for name in each if name != NEXT}
        return None

    def _write_index(self, index: dict[str, Any]) -> None:
        write_text(self.folder / INDEX, json.dumps(index, indent=2) + "\n")

    def _sweep_out(self) -> None:
        """Remove the files that a process which died was writing."""
        for path in self.folder.glob(f".*{PARTIAL}"):
            path.unlink(missing_ok=True)

    def _sign(self) -> None:
        """Write what the folder is, and the file of its sweep."""
        token = self.folder / TOKEN
        if not token.exists():
            note = {"program": "fleetsim", "holds": "a sweep", "version": VERSION}
            write_text(token, json.dumps({**note, "name": self.plan.base.name}) + "\n")
        text = self.plan.to_toml()
        path = self.folder / SWEEP
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)

    def _read_table(self, found: Found) -> dict[str, int]:
        """Read the table, if its checksum holds; return the shards it covers, by size."""
        if not (self.folder / INDEX).exists():
            return {}
        if read_index(self.folder) is None:
            found.damaged.append(INDEX)
            return {}
        index = self._standing()
        try:
            if index is None:
                raise ValueError("checksum")
            table = read_results(self.folder / RESULTS)
        except OtherVersionError:
            return {}
        except (OSError, ValueError, pa.ArrowException):
            found.damaged.append(RESULTS)
            return {}
        if index["sweep"] == self.digest:
            fill(found.ledger, table)
            return dict(index["shards"])
        found.other_table = True
        for row in rows_in(table):
            found.ledger.put_elsewhere(row)
        return {}

    def _read_shard(self, path: Path, found: Found) -> None:
        for read in shards.read_shard(path):
            if read is None:
                if path.name not in found.damaged:
                    found.damaged.append(path.name)
                continue
            sweep, row = read
            if sweep != self.digest or not 0 <= row.at < len(found.ledger):
                found.ledger.put_elsewhere(row)
            elif not found.ledger.put(row):
                found.waiting.append(row)


def check_store(folder: Path) -> None:
    """Refuse a folder that no sweep can be kept in, before anything is run.

    Raises
    ------
    InputError
        If it is a link or a file, holds what no sweep wrote, or can't be written to.
    """
    rule = None
    if folder.is_symlink():
        rule = "is a link; name the folder itself, results are not written through links"
    elif folder.exists() and not folder.is_dir():
        rule = "is a file; name a folder"
    elif folder.is_dir():
        rule = _foreign(sorted(folder.iterdir()))
    rule = rule or _newer(folder)
    if rule is not None:
        raise InputError("output folder", [Issue(str(folder), rule)])


def _newer(folder: Path) -> str | None:
    """Return why a folder can't be read, if a later version made it."""
    try:
        made = json.loads((folder / TOKEN).read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if made == VERSION:
        return None
    return (
        f"made by a fleetsim whose sweeps have version {made}, this is {VERSION}; use the version "
        "that made it, or name another folder"
    )


def _foreign(entries: list[Path]) -> str | None:
    """Return why a folder is no sweep's, if it isn't."""
    names = [entry.name for entry in entries if not _passing(entry.name)]
    if names and TOKEN not in names:
        shown = ", ".join(repr(name) for name in names[:3])
        return f"holds files of something else ({shown}); name a new folder, or that of a sweep"
    links = [entry.name for entry in entries if entry.is_symlink()]
    if links:
        return f"holds a link ({links[0]!r}); results are not written through links"
    return None


def _passing(name: str) -> bool:
    """Return whether a file is one of those that come and go while a sweep begins."""
    return name.endswith((lock.NAME, PARTIAL)) or name == shards.FOLDER


def read_index(folder: Path) -> dict[str, Any] | None:
    """Return what the folder says of its table; None where there is none, or it is damaged."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        read = _index(index)
        if NEXT in index:
            read[NEXT] = _index(index[NEXT])
        return read
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _index(index: dict[str, Any]) -> dict[str, Any]:
    return {
        "sweep": str(index["sweep"]),
        "rows": int(index["rows"]),
        "sha256": str(index["sha256"]),
        "shards": {str(name): int(size) for name, size in index["shards"].items()},
    }


def _refused(folder: Path, error: OSError) -> InputError:
    words = (error.strerror or str(error)).lower()
    free = ""
    with suppress(OSError):
        free = f"; {shutil.disk_usage(folder).free:,} bytes are free there"
    rule = f"can't be written to ({words}){free}"
    return InputError("output folder", [Issue(str(folder), rule)])
