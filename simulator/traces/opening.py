"""Opens the traces of a scenario one by one, and gathers what is wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from simulator.errors import InputError, Issue
from simulator.scenario.model import Scenario
from simulator.traces.opened import Opened, opened_by

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens traces over the span of a scenario.

    Attributes
    ----------
    scenario : Scenario
    issues : list of Issue
        Gets what a trace is refused for.
    opened : Opened or None
        What was read before, if it is kept.
    """

    scenario: Scenario
    issues: list[Issue]
    opened: Opened | None = None

    def __call__(
        self, read: Callable[..., Result], source: Any, path: str, **how: Any
    ) -> Result | None:
        """Return the trace of a source; None where it is refused."""
        span = {"start": self.scenario.start, "end_ms": self.scenario.horizon_ms}
        try:
            return opened_by(self.opened, read, source, **span, **how, path=path)
        except InputError as error:
            self.issues.extend(error.issues)
            return None
