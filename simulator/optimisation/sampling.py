"""Optuna's samplers, asked for points in batches and told what became of them."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import InputError, Issue
from simulator.optimisation.outcome import Trial
from simulator.optimisation.search import Search
from simulator.optimisation.space import Choice, SearchAxis, address_of
from simulator.rng import uniforms

if TYPE_CHECKING:
    from optuna import Trial as Asked
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

PATIENCE: Final = 200
"""Proposals in a row that may bring nothing new before a search ends early."""
POPULATION: Final = 24
"""Points of a generation of nsga2."""
LARGEST_SEED: Final = 2**32 - 1
"""Of the generator that Optuna's samplers draw from."""


class Sampled:
    """Proposes points that Optuna draws, each once.

    A point that the search does not allow is told at once as one that breaks its limits, so that
    the sampler learns where not to look. One that was proposed before is never run again: it
    stays open until the batch is whole, which turns the sampler away from it, and is then
    dropped.

    Parameters
    ----------
    search : Search

    Raises
    ------
    InputError
        If Optuna is not installed.
    """

    ending = f"the sampler found nothing new in {PATIENCE} proposals"

    def __init__(self, search: Search) -> None:
        import_optuna(search.base.source)
        import optuna

        self._search = search
        self._distributions = {axis.path: _distribution(axis) for axis in search.axes}
        self._known: set[str] = set()
        self._asked: list[Asked] = []
        self._repeated: list[Asked] = []
        with _quietly():
            self._study = optuna.create_study(
                sampler=_sampler(search),
                directions=[
                    "maximize" if objective.maximise else "minimize"
                    for objective in search.objectives
                ],
            )

    def propose(self, most: int) -> list[dict[str, Any]]:
        """Return points that are new and allowed."""
        points: list[dict[str, Any]] = []
        patience = PATIENCE
        with _quietly():
            while len(points) < most and patience:
                patience -= 1
                asked = self._study.ask(self._distributions)
                changes = {
                    axis.path: axis.value(asked.params[axis.path]) for axis in self._search.axes
                }
                address = address_of(changes)
                if address in self._known:
                    self._repeated.append(asked)
                elif not self._search.allows(changes):
                    self._forbid(asked)
                else:
                    self._known.add(address)
                    self._asked.append(asked)
                    points.append(changes)
                    patience = PATIENCE
        return points

    def learn(self, trials: Sequence[Trial]) -> None:
        """Tell Optuna what became of the points."""
        from optuna.trial import TrialState

        objectives, limits = self._search.objectives, self._search.limits
        with _quietly():
            for asked, trial in zip(self._asked, trials, strict=True):
                if trial.failed is not None:
                    self._study.tell(asked, state=TrialState.FAIL)
                    continue
                for at, limit in enumerate(limits):
                    asked.set_constraint(f"{at} {limit.text}", trial.excess[at])
                self._study.tell(asked, [trial.number(each.quantity) for each in objectives])
            for asked in self._repeated:
                self._study.tell(asked, state=TrialState.FAIL)
        self._asked, self._repeated = [], []

    def _forbid(self, asked: "Asked") -> None:
        # What breaks a limit is compared by that alone; its values only have to be numbers.
        asked.set_constraint("where", 1.0)
        self._study.tell(asked, [0.0] * len(self._search.objectives))


def import_optuna(source: str) -> None:
    """Import Optuna.

    Raises
    ------
    InputError
        If it is not installed, or older than what limits need.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import optuna
    except ImportError as error:
        rule = "optuna is not installed, which searches; pip install 'fleetsim[optimize]'"
        raise InputError(source, [Issue("optimize", rule)]) from error
    if not hasattr(optuna.Trial, "set_constraint"):
        rule = f"optuna {optuna.__version__} is too old; pip install 'fleetsim[optimize]'"
        raise InputError(source, [Issue("optimize", rule)])


def _sampler(search: Search) -> "BaseSampler":
    from optuna import samplers

    drawn = uniforms(search.base.seed, "optimize", "sampler", count=1)
    seed = int(drawn[0] * LARGEST_SEED)
    match search.sampler:
        case "nsga2":
            return samplers.NSGAIISampler(population_size=POPULATION, seed=seed)
        case "random":
            return samplers.RandomSampler(seed=seed)
    return samplers.TPESampler(seed=seed)


def _distribution(axis: SearchAxis) -> "BaseDistribution":
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(axis, Choice):
        return CategoricalDistribution(list(axis.places()))
    if axis.is_whole:
        return IntDistribution(
            int(axis.low), int(axis.high), log=axis.log, step=int(axis.step or 1)
        )
    return FloatDistribution(axis.low, axis.high, log=axis.log, step=axis.step)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep Optuna from printing and warning, and leave its settings as they were."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)
