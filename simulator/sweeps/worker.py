"""Run chunks of a sweep: in this process, in a local one, or wherever a cluster likes."""

import faulthandler
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Final

from simulator import bundled
from simulator.errors import InputError, Issue
from simulator.inputs import Inputs, open_inputs
from simulator.plans.digest import files_named
from simulator.results import Results, save
from simulator.scenario.load import load
from simulator.scenario.model import Scenario
from simulator.simulation import simulated
from simulator.sweeps import rows, shards
from simulator.sweeps.known import Known
from simulator.sweeps.rows import Row
from simulator.sweeps.unchanged import Unchanged
from simulator.sweeps.work import Chunk, Point, Work, WorkerError
from simulator.traces.opened import Opened

TOKEN: Final = "sweep.json"
"""The file by which a worker knows the folder of its sweep."""
OVERDUE: Final = 1
"""Exit status of a process that ended because a run took too long: faulthandler's."""
_SMALL: Final = "single-server"
KEPT: Final = "kept"
"""Folder of the whole results of some rows."""


class Worker:
    """Runs rows of one sweep, and writes each into its shard before it tells of it.

    Parameters
    ----------
    work : Work
    guarded : bool
        Whether this process may be ended for the sake of a run that takes too long.
    """

    def __init__(self, work: Work, *, guarded: bool = False) -> None:
        _import(work.plugins)
        self._work = work
        self._folder = _reached(work)
        self._shard = shards.Shard(self._folder, work.sweep) if self._folder else None
        self._known = Known.read(self._folder) if self._folder else Known()
        self._opened = Opened()
        self._unchanged = Unchanged(work.files)
        self._limit_s = work.point_timeout_s if guarded else None
        self._stopped = False
        if self._limit_s is not None:
            _compile()

    @property
    def writes(self) -> bool:
        """Whether it writes its rows itself, because it sees the folder of the sweep."""
        return self._shard is not None

    @property
    def is_stopped(self) -> bool:
        """Whether it runs nothing more."""
        return self._stopped

    def stop(self) -> None:
        """End after the run that is at work."""
        self._stopped = True

    def close(self) -> None:
        """Let go of the shard."""
        if self._shard is not None:
            self._shard.close()

    def run(self, chunk: Chunk) -> Iterator[Row]:
        """Yield every row of a chunk as it is finished.

        Raises
        ------
        OSError
            If a row can't be written, or a file is not what it was when the sweep began.
        """
        for row, results in self._rows(chunk):
            if results is not None:
                self._keep(row, results)
            if self._shard is not None and not chunk.kept_only:
                self._shard.append(row)
            yield row
        if self._shard is not None:
            self._shard.sync()

    def _rows(self, chunk: Chunk) -> Iterator[tuple[Row, Results | None]]:
        for point in chunk.points:
            scenario: Scenario | Exception | None = None
            files: tuple[Path, ...] = ()
            for at, seed in point.rows:
                if self._stopped:
                    return
                with _Guard(self._limit_s):
                    if scenario is None:
                        scenario = self._changed(point)
                        files = self._files_of(scenario)
                    self._unchanged.check(files)
                    found = self._row(at, scenario, seed, chunk)
                    self._unchanged.check(files)
                yield found

    def _changed(self, point: Point) -> Scenario | Exception:
        """Return the scenario of a point, or why it has none: each of its rows says so."""
        base = self._work.bases[point.base]
        try:
            return base.replace(point.changes) if point.changes else base
        except Exception as error:
            return error

    def _files_of(self, scenario: Scenario | Exception) -> tuple[Path, ...]:
        """Return the files that the runs of a point read; all where it may fail for one."""
        if isinstance(scenario, Exception):
            return tuple(self._work.files)
        return tuple(files_named(scenario))

    def _row(
        self, at: int, scenario: Scenario | Exception, seed: int, chunk: Chunk
    ) -> tuple[Row, Results | None]:
        """Return what became of a run, and its results where they are to be kept."""
        inputs: Inputs | None = None
        kept = at in chunk.kept
        try:
            if isinstance(scenario, Exception):
                raise scenario
            inputs = open_inputs(scenario.with_seed(seed), self._opened)
            if self._known and not (kept or chunk.fresh):
                key = inputs.key
                if key in self._known:
                    return Row(at, rows.KNOWN, key), None
            results = simulated(inputs).results
            return rows.done(at, results.summary), results if kept else None
        except InputError as error:
            return rows.failed(at, _one_line(error), _key_of(inputs)), None
        except (Exception, SystemExit) as error:  # whatever the code of others comes up with
            self._log(at, error)
            return rows.failed(at, _reason(error), _key_of(inputs)), None

    def _keep(self, row: Row, results: Results) -> None:
        """Write the whole results of a run; a refusal is the disk's, not the run's."""
        if self._folder is None or row.key is None:
            return
        try:
            save(results, kept_folder(self._folder, row.at, row.key), overwrite=True)
        except InputError as error:
            raise OSError(_one_line(error)) from error

    def _log(self, at: int, error: BaseException) -> None:
        """Write the traceback of a run that failed beside the shards, if that can be done."""
        if self._folder is None:
            return
        path = self._folder / shards.FOLDER / f"failures-{socket.gethostname()}-{os.getpid()}.log"
        with suppress(OSError, MemoryError):
            text = f"row {at}\n{''.join(traceback.format_exception(error))}\n"
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)


class _Guard:
    """Ends the process if what is inside takes too long, even in compiled code."""

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = limit_s

    def __enter__(self) -> None:
        if self._limit_s is not None:
            faulthandler.dump_traceback_later(self._limit_s, exit=True)

    def __exit__(self, *_: object) -> None:
        if self._limit_s is not None:
            faulthandler.cancel_dump_traceback_later()


def kept_folder(folder: Path, at: int, key: str) -> Path:
    """Return where the whole results of a row lie."""
    return folder / KEPT / f"{at}-{key[:8]}"


def serve(connection: Connection) -> None:
    """Run what comes through a connection until it is closed: a `Work`, then chunks.

    Sends first whether it writes its rows itself; then each row as it is finished, and None at the
    end of a chunk. An error that is no run's ends the process, told first.
    """
    try:
        worker = Worker(connection.recv(), guarded=True)
    except InputError as error:
        connection.send(error)
        return
    except Exception as error:
        connection.send(WorkerError(f"worker processes can't start: {_reason(error)}"))
        return

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        worker.stop()
        if is_waiting:
            sys.exit()

    is_waiting = False
    signal.signal(signal.SIGTERM, stop)
    connection.send(worker.writes)
    while not worker.is_stopped:
        is_waiting = True
        chunk: Chunk = connection.recv()
        is_waiting = False
        try:
            for row in worker.run(chunk):
                connection.send(row)
        except OSError as error:
            connection.send(error)
            return
        if not worker.is_stopped:  # else the chunk may be unfinished: the silence will tell
            connection.send(None)


def _reached(work: Work) -> Path | None:
    """Return the folder of the sweep if this machine sees it, and it is the same one."""
    if work.folder is None:
        return None
    try:
        token = (work.folder / TOKEN).read_text(encoding="utf-8")
    except OSError:
        return None
    return work.folder if token == work.token else None


def _import(modules: Iterable[str]) -> None:
    """Import what registers policies.

    Raises
    ------
    InputError
        If a module can't be had.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:  # whatever the code of others comes up with
            rule = (
                f"worker processes can't import it ({_reason(error)}); "
                "put it where Python looks for modules (PYTHONPATH), or use one job"
            )
            raise InputError("policies", [Issue(module, rule)]) from error


def _compile() -> None:
    """Run a bundled scenario, so that no limit of time meets kernels that are compiled first."""
    scenario = load(bundled.file_or_name(Path(_SMALL))).replace({"horizon": "2 d"})
    simulated(open_inputs(scenario))


def _key_of(inputs: Inputs | None) -> str | None:
    """Return the address of a run that failed, if it came so far."""
    if inputs is not None:
        with suppress(Exception):  # such as memory that is still short
            return inputs.key
    return None


def _reason(error: BaseException) -> str:
    """Return in one line why a run failed; words that can't be had are left out."""
    cause: BaseException | None = error
    while cause is not None:  # whoever caught it may have told it in other words
        if isinstance(cause, MemoryError):
            return "out of memory"
        cause = cause.__cause__
    words = ""
    with suppress(Exception):
        words = f": {error}"
    return f"{type(error).__name__}{words}"


def _one_line(error: InputError) -> str:
    return "; ".join(f"{issue.path} {issue.message}".strip() for issue in error.issues)
