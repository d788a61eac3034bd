"""Dispatch rules: by what a job gets its cluster."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from simulator.errors import listing, shown

Measure: TypeAlias = Literal["preference", "wait", "energy"]

_MEASURES: Final[tuple[str, ...]] = get_args(Measure)


@dataclass(frozen=True, slots=True)
class DispatchRule:
    """By what a job gets its cluster, as the engine follows it.

    Attributes
    ----------
    by : str
        `preference`: it waits for all of its clusters, and starts on the first with room. `wait`,
        `energy`: it gets the one of the least expected wait, or the least energy, as it is
        submitted, and waits for that alone.

    Raises
    ------
    ValueError
        If the word is unknown.
    """

    by: Measure = "preference"

    def __post_init__(self) -> None:
        if self.by not in _MEASURES:
            raise ValueError(f"by {shown(self.by)} is not known; write one of {listing(_MEASURES)}")

    @property
    def binds(self) -> bool:
        """Whether a job gets its cluster as it is submitted, and waits for that alone."""
        return self.by != "preference"
