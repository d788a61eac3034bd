"""What policies may foresee: the outlook of each cluster's grid, shown to them as a run begins."""

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from simulator.scenario.grid import Forecast
from simulator.scenario.model import Scenario

if TYPE_CHECKING:
    from simulator.traces.grid import GridTrace
    from simulator.traces.outlook import Outlook


class Grids(Protocol):
    """What is asked of the opened inputs of a run."""

    @property
    def scenario(self) -> Scenario:
        """The scenario."""

    @property
    def average(self) -> "Sequence[GridTrace]":
        """The average intensity of each site."""

    @property
    def marginal(self) -> "Sequence[GridTrace | None]":
        """The marginal intensity of each site, None where there is none."""


def foreseeing(
    grids: Grids, start_epoch_ms: int
) -> Callable[[Any, Any], Generator[Any, object, None]]:
    """Return a process that shows the view what is expected of the grids, and does no more.

    Parameters
    ----------
    grids : Grids
    start_epoch_ms : int
        Start of the run, since the Unix epoch. [ms]
    """

    def show(_env: Any, view: Any) -> Generator[Any, object, None]:
        view.foresee(outlooks_of(grids, start_epoch_ms))
        yield from ()

    return show


def outlooks_of(grids: Grids, start_epoch_ms: int) -> "list[dict[str, Outlook]]":
    """Return for each cluster what its policies may know of the intensities to come, by signal."""
    from simulator.traces.outlook import Outlook

    scenario = grids.scenario
    known: dict[str, dict[str, Outlook]] = {}
    for at, (name, site) in enumerate(scenario.sites.items()):
        known[name] = {
            signal: Outlook(
                trace,
                site.grid.forecast or Forecast(method="perfect"),
                start_epoch_ms=start_epoch_ms,
                end_ms=scenario.horizon_ms,
                seed=scenario.seed,
            )
            for signal, trace in (
                ("average", grids.average[at]),
                ("marginal", grids.marginal[at]),
            )
            if trace is not None
        }
    return [known[cluster.site] for cluster in scenario.clusters.values()]
