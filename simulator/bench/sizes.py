"""How much the benchmark runs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """The grid of cells, and how long each yardstick may take.

    Attributes
    ----------
    jobs, nodes : tuple of int
    loads : tuple of float
        Shares of the fleet's capacity that the jobs ask for.
    most_yardstick_jobs : int
        The SimPy yardsticks run at most so many jobs of a cell, its first; their time grows at
        least linearly with jobs.
    idle_nodes : tuple of int
        Fleets on which idle states are timed, with the most jobs at the first load.
    memory_jobs : int
        Jobs of the runs whose memory is measured, at the first load.
    repeats : int
        Runs of the engine and of the bare loop; the median counts.
    """

    jobs: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    nodes: tuple[int, ...] = (1_000, 10_000, 100_000)
    loads: tuple[float, ...] = (0.8, 1.05)
    most_yardstick_jobs: int = 100_000
    memory_jobs: int = 1_000_000
    idle_nodes: tuple[int, ...] = (10_000,)
    repeats: int = 3


DEFAULT: Final = Sizes()
QUICK: Final = Sizes(
    jobs=(10_000, 100_000), nodes=(1_000, 10_000), most_yardstick_jobs=20_000, repeats=3
)
FULL: Final = Sizes(jobs=(10_000, 100_000, 1_000_000, 10_000_000))
