"""The statement of a workload over the seeds of a comparison, whose runs are run again."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.explanation.statement import OverSeeds, Statement, statement_of
from simulator.folder import COMPARISON
from simulator.scenario import Scenario, load


def is_of_a_comparison(folder: Path) -> bool:
    """Return whether a folder is that of a comparison."""
    return _manifest(folder).get("kind") == COMPARISON.name


def statement_over_seeds(folder: Path, workload: str, side: str | None) -> Statement:
    """Return the statement of a workload by the first seed, with the totals of all seeds.

    A folder of a comparison holds no jobs, so every run of the side is run again; it has to be
    the same run, by its key.

    Parameters
    ----------
    folder : Path
    workload : str
    side : str, optional
        Needed where the comparison has several.

    Raises
    ------
    InputError
        If there is no such side, or a run is not the same any more.
    """
    from simulator import simulation

    manifest = _manifest(folder)
    sides, seeds = manifest["sides"], [int(seed) for seed in manifest["seeds"]]
    at = _place(folder, [str(each["name"]) for each in sides], side)
    scenario = _scenario(folder, sides[at])
    keys = manifest["keys"][at * len(seeds) : (at + 1) * len(seeds)]
    statements = []
    for seed, key in zip(seeds, keys, strict=True):
        results = simulation.run(scenario, seed=seed).results
        if results.key != key:
            rule = (
                f"seed {seed} of {shown(sides[at]['name'])} is not the same run any more: a file "
                "that it reads has changed, or this is another version; compare them again"
            )
            raise InputError(str(folder), [Issue("runs.parquet", rule)])
        statements.append(statement_of(results, workload=workload))
    return replace(statements[0], over_seeds=_over(seeds, statements))


def _over(seeds: list[int], statements: list[Statement]) -> OverSeeds | None:
    from simulator.analysis.statistics import mean_of

    totals_kg = tuple(each.total_kg for each in statements)
    estimate = mean_of(totals_kg) if len(seeds) > 1 else None
    if estimate is None or estimate.low is None or estimate.high is None:
        return None
    return OverSeeds(tuple(seeds), totals_kg, estimate.mean, estimate.low, estimate.high)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _place(folder: Path, names: list[str], side: str | None) -> int:
    """Return which side is meant."""
    if side in names:
        return names.index(side)
    if side is None and len(names) == 1:
        return 0
    if side is None:
        rule = f"whose statement? name a side: {listing(names)}"
    else:
        near = nearest(side, names)
        meant = f"did you mean {shown(near)}?" if near else f"there are {listing(names)}"
        rule = f"{shown(side)} is no side of this comparison; {meant}"
    raise InputError(str(folder), [Issue("--side", rule)])


def _scenario(folder: Path, side: dict[str, Any]) -> Scenario:
    """Return the scenario of a side, which must be the one that was compared."""
    scenario = load(folder / side["file"], yes=True)
    found = hashlib.sha256(scenario.canonical().encode()).hexdigest()
    if found != side["scenario_sha256"]:
        rule = "not the scenario that was compared; compare it again"
        raise InputError(str(folder), [Issue(str(side["file"]), rule)])
    return scenario
