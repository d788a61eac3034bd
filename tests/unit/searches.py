"""Searches small enough for tests: a fleet of a day, and results by formula."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.optimisation.objectives import QUANTITIES
from simulator.optimisation.optimise import Outcome
from simulator.scenario import Scenario, from_document

COUNT, IDLE, AFTER = "clusters.a.count", "clusters.a.idle", "nodes.n.idle_states[0].after"
CARBON, WAIT = "total_kgco2e", "wait_p99_h"


def day() -> Scenario:
    """Return a cluster of four small nodes over a day."""
    sleep = {"name": "sleep", "after": "10 min", "power": "100 W", "wake_time": "2 min"}
    return from_document(
        {
            "schema": 1,
            "name": "day",
            "start": dt.datetime(2022, 1, 1, tzinfo=dt.UTC),
            "horizon": "1 d",
            "seed": 3,
            "nodes": {
                "n": {
                    "accelerators": 2,
                    "idle_power": "1 kW",
                    "busy_power": "3 kW",
                    "embodied": "500 kg",
                    "lifetime": "4 y",
                    "idle_states": [sleep],
                }
            },
            "sites": {"s": {"pue": 1.2, "grid": {"average": {"constant": "300 g/kWh"}}}},
            "clusters": {"a": {"site": "s", "node": "n", "count": 4, "idle": "always-on"}},
            "workloads": {
                "w": {
                    "clusters": ["a"],
                    "arrivals": {"process": "poisson", "rate": "60 per d"},
                    "duration": {"p50": "30 min", "p99": "3 h"},
                    "gpus": 1,
                }
            },
        }
    )


def table(**settings: Any) -> dict[str, Any]:
    """Return a table of two objectives over counts and idle policies, with other settings."""
    return {
        "objectives": {CARBON: "minimise", WAIT: "minimise"},
        COUNT: {"low": 1, "high": 12},
        IDLE: ["always-on", "ladder"],
    } | settings


class Formula:
    """Evaluates points by a formula, and notes which it was asked for.

    Parameters
    ----------
    formula : callable
        Takes the new values and returns some of the summary.
    """

    def __init__(self, formula: Callable[[Mapping[str, Any]], Mapping[str, Any] | str]) -> None:
        self.formula = formula
        self.batches: list[list[dict[str, Any]]] = []

    def __call__(self, points: Sequence[dict[str, Any]]) -> list[Outcome]:
        self.batches.append(list(points))
        outcomes: list[Outcome] = []
        for point in points:
            found = self.formula({COUNT: 4, IDLE: "always-on", AFTER: "10 min", **point})
            nothing: dict[str, float | None] = dict.fromkeys(QUANTITIES)
            outcomes.append(found if isinstance(found, str) else {**nothing, **found})
        return outcomes

    @property
    def asked(self) -> list[dict[str, Any]]:
        """All points but the base, in order."""
        return [point for batch in self.batches for point in batch if point]


def trade_off(point: Mapping[str, Any]) -> dict[str, float]:
    """Return carbon that grows with the count, and a wait that falls with it."""
    sleeps = point[IDLE] != "always-on"
    carbon_kgco2e = point[COUNT] * (6.0 if sleeps else 10.0)
    return {CARBON: carbon_kgco2e, WAIT: 6.0 / point[COUNT] + 0.25 * sleeps}
