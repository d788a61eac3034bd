"""A run billed again from its folder: by its tables where they tell, else by running it again."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import InputError, Issue, shown
from simulator.rebilling import TablesDoNotTellError, rebilled
from simulator.results import Results, load_results
from simulator.terms import Terms

if TYPE_CHECKING:
    from simulator.simulation import Simulated

SAME: Final = 1e-12
"""Relative difference below which two figures of one run are the same."""


LEAST_ENERGY: Final = "least-energy"
"""The policy of this package that reckons with buildings."""


@dataclass(frozen=True, slots=True)
class Bill:
    """A run under other terms.

    Attributes
    ----------
    base, results : Results
        As the run was billed, and as it is billed now.
    again : str or None
        Why the scenario was run again for it; None where its tables told enough.
    simulated : Simulated or None
        What happened, where it was.
    decided : str or None
        Which policies may decide otherwise in a run under these terms; None where none can.
    """

    base: Results
    results: Results
    again: str | None = None
    simulated: "Simulated | None" = None
    decided: str | None = None


def bill_folder(
    folder: str | Path,
    terms: Terms,
    *,
    command: str | None = None,
    told: Callable[[str], None] | None = None,
) -> Bill:
    """Bill the run of a folder again.

    Parameters
    ----------
    folder : path
    terms : Terms
    command : str, optional
        The command line, for the manifest.
    told : callable, optional
        Told why, before the scenario is run again.

    Raises
    ------
    InputError
        If the folder is not what a run wrote, the terms are refused, or the scenario has to be run
        again and does not come to the same results.
    """
    base = load_results(folder, sealed=True)
    try:
        if base.origin is None or not base.seals:
            raise TablesDoNotTellError("its manifest seals no files")
        bill = Bill(base, rebilled(base, terms))
    except TablesDoNotTellError as error:
        if told is not None:
            told(str(error))
        bill = _run_again(folder, base, terms, str(error))
    results = replace(bill.results, command=command)
    return replace(bill, results=results, decided=decided_by(base, terms))


def decided_by(base: Results, terms: Terms) -> str | None:
    """Return which policies of a run looked at what the terms change; None where none did.

    Those in plain Python may look at grids and PUE; the dispatch policy ``least-energy`` reckons
    with the PUE of each site, and who retires nodes with their lifetime.
    """
    workloads = base.scenario.workloads.values()
    clusters = base.scenario.clusters.values()
    signals = (terms.average, terms.marginal, terms.pue) != (None, None, None)
    if signals and base.origin is not None and base.origin.has_policies:
        return "policies in plain Python"
    if terms.pue is not None and any(each.clusters.policy == LEAST_ENERGY for each in workloads):
        return f"the dispatch policy {LEAST_ENERGY}"
    retiring = [each.idle.policy for each in clusters if "lifetime" in each.idle.plugin.roles]
    if terms.lifetime is not None and retiring:
        return f"the policy {retiring[0]}"
    return None


def _run_again(folder: str | Path, base: Results, terms: Terms, why: str) -> Bill:
    from simulator import simulation

    terms.of(base.scenario)  # refused before anything is run
    done = simulation.run(base.scenario, seed=base.seed)
    if (rule := _unlike(base, done.results)) is not None:
        raise InputError(str(folder), [Issue("", f"{rule} ({why}, so it was run again)")])
    billed = done.billed(terms)
    return Bill(base, billed.results, why, billed)


def _unlike(base: Results, again: Results) -> str | None:
    """Return why another run of a scenario is not the one of the folder; None where it is."""
    if base.key != again.key:
        return "a file that it read, or a policy of your own, has changed since; bill it as it was"
    for name, value in base.summary.items():
        if not _same(value, again.summary[name]):
            return (
                f"run again it does not come to the same {name}, {shown(value)}; bill it in Python "
                "where it was run"
            )
    return None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=SAME)
    return bool(one == other)
