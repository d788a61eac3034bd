"""Sweeps to be disturbed: their files, their processes, and what must hold afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from simulator.plans.plan import Plan, plan_of
from simulator.scenario.load import load_study
from simulator.sweeps import shards
from simulator.sweeps.carrying import sweep
from simulator.sweeps.session import Options

ROOT: Final = Path(__file__).parents[2]
MARKERS: Final = "FLEETSIM_TEST_MARKERS"
"""Environment variable: the folder that remembers what has happened once already."""
LOST: Final = "FLEETSIM_TEST_LOST"
"""Environment variable: where it is set, the module of the policy can't be imported."""
PLAIN: Final = "FLEETSIM_TEST_PLAIN"
"""Environment variable: where it is set, no sweep is small enough to be drawn."""
HANGS: Final = "hangs-"
"""How the name of the file begins by which a run that hangs tells that it does."""
PATIENCE_S: Final = 60.0
STUDY: Final = """
schema  = 1
name    = "disturbed"
start   = 2022-06-01T00:00:00Z
horizon = "1 d"
seed    = 3
[sites.here]
pue  = 1.2
grid = {{ average = {grid} }}
[clusters.few]
site  = "here"
node  = "hgx-a100"
count = 2
idle  = {{ policy = "bomb", deed = "{deed}", at = {at}, slow = {slow} }}
[workloads.small]
clusters = ["few"]
arrivals = {{ process = "poisson", rate = "{rate} per d" }}
duration = "90 min"
gpus     = 4
[sweep]
seeds = {seeds}
"""
RESTED: Final = "rested"
"""A file of this name among the markers: nobody dozes."""
ONCE: Final = ("kill_once", "fork_once", "terminate_once", "explode_once", "hang_once")
"""Deeds that are done once and no more."""


@dataclass(frozen=True)
class Place:
    """A folder with one sweep file and the results of the sweep."""

    folder: Path
    runs: "list[Run]" = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "study.toml"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def table(self) -> bytes:
        return (self.out / "results.parquet").read_bytes()

    @property
    def statuses(self) -> list[str]:
        column = pq.read_table(self.out / "results.parquet", columns=["status"])
        return list(column["status"].to_pylist())

    @property
    def errors(self) -> dict[int, str]:
        """Return why rows failed, by row."""
        table = pq.read_table(self.out / "results.parquet", columns=["error"])
        return {at: text for at, text in enumerate(table["error"].to_pylist()) if text is not None}

    def write(
        self,
        *,
        counts: Iterable[int] = range(2, 12),
        deeds: Sequence[str] = (),
        seeds: int = 2,
        deed: str = "none",
        at: int = 0,
        slow: bool = False,
        rate: int = 30,
        grid: str = '{ constant = "380 g/kWh" }',
    ) -> "Place":
        """Write the sweep: over node counts, one of which may do a deed, or over deeds."""
        said = {"deed": deed, "at": at, "slow": str(slow).lower(), "rate": rate, "grid": grid}
        text = STUDY.format(seeds=seeds, **said)
        axis = ("idle.deed", list(deeds)) if deeds else ("count", list(counts))
        text += f'"clusters.few.{axis[0]}" = {json.dumps(axis[1])}\n'
        self.folder.mkdir(exist_ok=True)
        self.file.write_text(text, encoding="utf-8")
        return self

    def plan(self) -> Plan:
        return plan_of(*load_study(self.file, "sweep"))

    def sweep_here(self, *, tell: Callable[[str], None] = lambda _: None, **options: Any) -> Any:
        """Carry the sweep out in this very process, one run after another, with nobody dozing."""
        os.environ[MARKERS] = str(self.folder)
        rested = self.folder / RESTED
        rested.touch()
        try:
            return sweep(self.plan(), self.out, Options(**{"jobs": 1, **options}), tell=tell)
        finally:
            rested.unlink()

    def undisturbed(self) -> bytes:
        """Return the table of the same sweep in another folder, with every deed done before."""
        aside = Place(self.folder / "aside")
        aside.folder.mkdir(exist_ok=True)
        for deed in (*ONCE, RESTED):
            (aside.folder / deed).touch()
        os.environ[MARKERS] = str(aside.folder)
        sweep(self.plan(), aside.out, Options(jobs=1))
        return aside.table

    def start(self, *words: str, jobs: int = 2, before: Sequence[str] = (), **keys: Any) -> "Run":
        """Start the command line on the sweep; `before` stands before its own command."""
        command = [*before, sys.executable, "-m", "tests.faults.drive"]
        command += ["sweep", "study.toml", "-o", "out", "--jobs", str(jobs), *words]
        environment = os.environ | {"PYTHONPATH": str(ROOT), MARKERS: str(self.folder)}
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment | keys.pop("env", {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **keys,
        )
        run = Run(process)
        self.runs.append(run)
        return run

    def run(self, *words: str, pictures: bool = False, **keys: Any) -> tuple[int, str, str]:
        """Carry the sweep out by the command line; pictures take longer than all of its runs."""
        if not pictures:
            keys["env"] = {PLAIN: "1", **keys.get("env", {})}
        return self.start(*words, **keys).ended()

    def resumed(self, *words: str, **keys: Any) -> tuple[str, str]:
        """Carry the sweep to its end; return what was said."""
        code, out, err = self.run(*words, **keys)
        assert code == 0, err
        return out, err

    def rows(self) -> Counter[int]:
        """Return how often each row of this sweep stands in the shards."""
        digest = self.plan().digest
        found: Counter[int] = Counter()
        for path in shards.shard_files(self.out):
            for read in shards.read_shard(path):
                if read is not None and read[0] == digest:
                    found[read[1].at] += 1
        return found

    def each_row_once(self) -> bool:
        return self.rows() == Counter(range(len(self.plan())))

    def wait_for(self, count: int) -> None:
        """Wait until so many lines stand in the shards."""
        until = time.monotonic() + PATIENCE_S
        while self.lines() < count:
            assert time.monotonic() < until, "the sweep does not come on"
            time.sleep(0.005)

    def wait_for_a_hang(self) -> int:
        """Wait until a run hangs; return the process that it hangs in."""
        until = time.monotonic() + PATIENCE_S
        while not (found := list(self.folder.glob(f"{HANGS}*"))):
            assert time.monotonic() < until, "no run hangs"
            time.sleep(0.005)
        return int(found[0].name.removeprefix(HANGS))

    def lines(self) -> int:
        found = 0
        for path in shards.shard_files(self.out):
            with suppress(OSError):
                found += path.read_bytes().count(b"\n")
        return found


@dataclass(frozen=True)
class Run:
    """A running command line."""

    process: "subprocess.Popen[str]"

    def ended(self, within_s: float = PATIENCE_S) -> tuple[int, str, str]:
        """Wait for its end; return its exit code and what it said."""
        try:
            out, err = self.process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.destroy()
            raise
        return self.process.returncode, out, err

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the process, and not those that it started."""
        self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.communicate()

    def destroy(self) -> None:
        """Kill the process, and whatever it stands before; its workers go with their driver."""
        if self.process.poll() is None:  # its number is its own until it is buried
            os.killpg(self.process.pid, signal.SIGKILL)
        self.kill()

    @property
    def workers(self) -> list[int]:
        """The processes it has started and not yet buried."""
        return children(self.process.pid)


def children(parent: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if _stat(pid)[1:2] == [str(parent)]]


def lives(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """Return what the system says of a process, from its state on; nothing if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()


def gone(pids: Iterable[int], within_s: float = 3.0) -> bool:
    """Return whether processes end within some time; kill those that don't."""
    left = [pid for pid in pids if lives(pid)]
    until = time.monotonic() + within_s
    while left and time.monotonic() < until:
        time.sleep(0.01)
        left = [pid for pid in left if lives(pid)]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not left


def document(text: str) -> dict[str, Any]:
    """Return the JSON document of a command."""
    found: dict[str, Any] = json.loads(text)
    return found
