"""Looking at the folder of a sweep, and throwing away what nobody needs any more."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError, Issue
from simulator.plans.plan import Plan, plan_of
from simulator.sweeps import lock, shards
from simulator.sweeps.keeping import FAILED_FILE
from simulator.sweeps.known import NAME as KNOWN_FILE
from simulator.sweeps.ledger import IS_FAILED
from simulator.sweeps.partial import ENDING as PARTIAL
from simulator.sweeps.store import SWEEP, Store, check_store, read_index
from simulator.sweeps.table import results_table
from simulator.sweeps.worker import KEPT, TOKEN, kept_folder


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a folder: for people, and as JSON."""

    lines: list[str]
    document: dict[str, Any] = field(default_factory=dict)


def status(folder: Path) -> Answer:
    """Say how far the sweep of a folder has come, and who works on it.

    Raises
    ------
    InputError
        If it is no folder of a sweep.
    """
    plan = plan_in(folder)
    found = Store(folder, plan).scan()
    ledger, owner = found.ledger, lock.owner_of(folder)
    left = len(ledger.open_rows)
    index = read_index(folder)
    whole = index is not None and index["sweep"] == plan.digest and not left
    document = {
        "name": plan.base.name,
        "points": len(plan.points),
        "seeds": len(plan.seeds),
        "runs": len(plan),
        "done": ledger.done,
        "failed": ledger.failed,
        "left": left,
        "complete": whole,
        "damaged": found.damaged,
        "at_work": owner.removesuffix(",") if owner else None,
    }
    lines = [
        f"{plan.base.name}: {len(plan.points):,} points x {len(plan.seeds):,} seeds",
        f"{ledger.done:,} of {len(plan):,} runs finished, {ledger.failed:,} failed, {left:,} left",
    ]
    lines += [f"at work: {owner.removesuffix(',')}"] if owner else []
    lines += [f"damaged: {name}; what it lacks is run again" for name in found.damaged]
    if left and not owner:
        lines.append(f"go on with: fleetsim sweep {folder / SWEEP} -o {folder}")
    return Answer(lines, document)


def tidy(folder: Path) -> Answer:
    """Remove what the finished table makes needless: shards, rows of earlier sweeps, leftovers.

    Raises
    ------
    InputError
        If it is no folder of a sweep, another process works on it, or it isn't finished.
    """
    plan = plan_in(folder)
    store = Store(folder, plan)
    with store.opened():
        ledger = store.scan().ledger
        earlier = sum(1 for _ in ledger.elsewhere)
        if len(ledger.open_rows):
            rule = f"{len(ledger.open_rows):,} runs are left; finish the sweep first"
            raise InputError("sweep gc", [Issue(str(folder), rule)])
        store.compact(results_table(plan, ledger))
        kept = {
            kept_folder(folder, at, ledger.key(at)).name
            for at in range(len(ledger))
            if ledger.key(at)
        }
        failed = np.flatnonzero(ledger.state == IS_FAILED).tolist()
        kept |= {FAILED_FILE.format(at=at) for at in failed}
        needless = [*_files_in(folder / shards.FOLDER), *folder.glob(f".*{PARTIAL}")]
        needless += [path for path in _files_in(folder / KEPT) if path.name not in kept]
        needless += [folder / KNOWN_FILE] if (folder / KNOWN_FILE).exists() else []
        freed = sum(map(_size, needless))
        for path in needless:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        store.compact(results_table(plan, ledger))
    lines = [f"{len(needless):,} files and folders removed, {freed:,} bytes freed"]
    if earlier:
        lines.append(f"{earlier:,} finished runs of earlier sweeps in this folder are forgotten")
    removed = [str(path) for path in needless]
    return Answer(lines, {"removed": removed, "bytes": freed, "forgotten": earlier})


def plan_in(folder: Path) -> Plan:
    """Return the plan of the sweep that a folder holds.

    Raises
    ------
    InputError
        If it is no folder of a sweep.
    """
    from simulator.scenario.load import load_study

    if not (folder / TOKEN).is_file() or not (folder / SWEEP).is_file():
        rule = "no folder of a sweep; name the one that fleetsim sweep -o wrote"
        raise InputError("sweep", [Issue(str(folder), rule)])
    check_store(folder)
    base, table = load_study(folder / SWEEP, "sweep", yes=True)
    return plan_of(base, table, yes=True)


def _files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
