"""Whole results of some runs of a sweep, beside their rows: kept as they come, or chosen after."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from simulator.errors import InputError
from simulator.plans.keep import KeepAll, KeepEvery, KeepFailed, KeepRanked
from simulator.plans.plan import Plan
from simulator.sweeps.ledger import IS_DONE, IS_FAILED, Ledger
from simulator.sweeps.partial import write_text
from simulator.sweeps.work import Chunk, Point, Work
from simulator.sweeps.worker import KEPT, Worker, kept_folder

PointsOf = Callable[[Sequence[int]], tuple[Point, ...]]
FAILED_FILE: Final = "failed-{at}.toml"


def kept_as_it_comes(plan: Plan) -> Callable[[int], bool]:
    """Return which rows are kept whatever comes out: all, or every n-th."""
    rules = plan.rules
    if any(isinstance(rule, KeepAll) for rule in rules):
        return lambda _: True
    steps = [rule.step for rule in rules if isinstance(rule, KeepEvery)]
    return lambda at: any(at % step == 0 for step in steps)


def keep_chosen(plan: Plan, ledger: Ledger, work: Work, points_of: PointsOf) -> None:
    """Keep what only the finished sweep tells: the best and worst runs, and the failed ones.

    The chosen runs are run once more, which gives the same results; so are those that a worker
    without this folder could not keep.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    folder = work.folder
    assert folder is not None
    rules = plan.rules
    as_it_comes = kept_as_it_comes(plan)
    wanted = {at for at in np.flatnonzero(ledger.state == IS_DONE).tolist() if as_it_comes(at)}
    for rule in rules:
        if isinstance(rule, KeepRanked):
            wanted.update(ranked(ledger, rule))
    missing = [at for at in sorted(wanted) if not kept_folder(folder, at, ledger.key(at)).exists()]
    if missing:
        chunk = Chunk(points_of(missing), frozenset(missing), kept_only=True)
        for _ in Worker(work).run(chunk):
            pass
    if any(isinstance(rule, KeepFailed) for rule in rules):
        _keep_failed(plan, ledger, folder)


def ranked(ledger: Ledger, rule: KeepRanked) -> list[int]:
    """Return the rows that a rule chooses: finished ones, equals in the order of their numbers."""
    values = ledger.value(rule.column)
    rows = np.flatnonzero((ledger.state == IS_DONE) & ~np.isnan(values))
    signed = -values[rows] if rule.descending else values[rows]
    return [int(at) for at in rows[np.argsort(signed, kind="stable")][: rule.count]]


def _keep_failed(plan: Plan, ledger: Ledger, folder: Path) -> None:
    """Write the scenario of every run that failed, to be run alone; one refused has none."""
    for at in np.flatnonzero(ledger.state == IS_FAILED).tolist():
        path = folder / KEPT / FAILED_FILE.format(at=at)
        try:
            text = plan.scenario(at).to_toml()
        except InputError:
            continue
        path.parent.mkdir(exist_ok=True)
        write_text(path, text)
