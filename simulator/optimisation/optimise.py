"""Optimisation: points are proposed in batches, run, told, and the best of them kept.

The whole search is a function of its scenario and its table: the sampler is seeded, batches have
one size and outcomes are told in the order of the proposals. So a search that was broken off is
resumed by repeating it, where the runs that are done already cost nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from simulator.errors import InputError, Issue
from simulator.optimisation.objectives import QUANTITIES
from simulator.optimisation.outcome import Optimisation, Trial
from simulator.optimisation.search import Search
from simulator.optimisation.space import address_of, every_point, size_of

Outcome = dict[str, float | None] | str
"""Mean summary of a point over its seeds, or the words of its failure."""
Evaluate = Callable[[Sequence[dict[str, Any]]], Sequence[Outcome]]
"""Runs points, each the new values by dotted path, and returns their outcomes in order."""
Progress = Callable[[int, int], None]
"""Told of trials done and trials in all."""


class Proposer(Protocol):
    """Says which points to run next."""

    ending: str
    """Why there may be no more before the trials are used up."""

    def propose(self, most: int) -> list[dict[str, Any]]:
        """Return at most so many points that were not proposed before; none at the end."""

    def learn(self, trials: Sequence[Trial]) -> None:
        """Take in what became of the points that were proposed last, in their order."""


def optimise(
    search: Search, evaluate: Evaluate | None = None, progress: Progress | None = None
) -> Optimisation:
    """Search for the points that are best.

    A space that has no more points than there are trials is tried in full.

    Parameters
    ----------
    search : Search
    evaluate : callable, optional
        Runs points; by default one after the other in this process. The first point it is given
        is the base itself, with no new value.
    progress : callable, optional
        See `Progress`.

    Raises
    ------
    InputError
        If Optuna is not installed, or no point is allowed.
    """
    run = evaluate or serial(search)
    proposer = _proposer(search)
    trials: list[Trial] = []
    base: Outcome = ""
    while batch := proposer.propose(min(search.batch, search.trials - len(trials))):
        if not trials:
            (base,) = run([{}])
        news = [
            trial_of(search, changes, outcome)
            for changes, outcome in zip(batch, run(batch), strict=True)
        ]
        proposer.learn(news)
        trials += news
        if progress is not None:
            progress(len(trials), search.trials)
    if not trials:
        rule = "no point was found that fulfils all of them; loosen one"
        raise InputError(search.base.source, [Issue("optimize.where", rule)])
    ending = proposer.ending if len(trials) < search.trials else ""
    return Optimisation(search, tuple(trials), base if isinstance(base, dict) else None, ending)


def trial_of(search: Search, changes: dict[str, Any], outcome: Outcome) -> Trial:
    """Return a point with what became of it."""
    if isinstance(outcome, str):
        return Trial(changes, {}, (), outcome)
    values = {name: outcome.get(name) for name in search.quantities}
    missing = [name for name, value in values.items() if value is None or not math.isfinite(value)]
    if missing:
        return Trial(changes, values, (), f"has no {', '.join(missing)}")
    numbers = {name: float(value) for name, value in values.items() if value is not None}
    excess = tuple(limit.excess(numbers[limit.quantity]) for limit in search.limits)
    return Trial(changes, values, excess, None)


def serial(search: Search) -> Evaluate:
    """Return what runs points one after the other in this process, each point once."""
    from simulator.simulation import run

    known: dict[str, Outcome] = {}

    def outcome_of(changes: Mapping[str, Any]) -> Outcome:
        try:
            return mean_summary(
                run(search.base.replace({**changes, "seed": seed})).results.summary
                for seed in search.seeds
            )
        except Exception as error:  # a point that can't be run is a result of the search
            return f"{type(error).__name__}: {' '.join(str(error).split())}"

    def evaluate(points: Sequence[dict[str, Any]]) -> list[Outcome]:
        for changes in points:
            address = address_of(changes)
            if address not in known:
                known[address] = outcome_of(changes)
        return [known[address_of(changes)] for changes in points]

    return evaluate


def mean_summary(summaries: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the mean of each quantity over the runs; None where a run lacks it."""
    every = list(summaries)
    means: dict[str, float | None] = {}
    for name in QUANTITIES:
        values = [each[name] for each in every if each.get(name) is not None]
        whole = bool(values) and len(values) == len(every)
        means[name] = math.fsum(values) / len(values) if whole else None
    return means


def _proposer(search: Search) -> Proposer:
    size = size_of(search.axes)
    if size is not None and size <= search.trials:
        return Everything(search)
    from simulator.optimisation.sampling import Sampled

    return Sampled(search)


class Everything:
    """Proposes every point of a space, in order.

    Parameters
    ----------
    search : Search
        Its axes have an end.
    """

    ending = "every point was tried"

    def __init__(self, search: Search) -> None:
        self._points = (point for point in every_point(search.axes) if search.allows(point))

    def propose(self, most: int) -> list[dict[str, Any]]:
        """Return the next points."""
        return [point for _, point in zip(range(most), self._points, strict=False)]

    def learn(self, trials: Sequence[Trial]) -> None:
        """Do nothing: all points are tried whatever comes of them."""
