"""Scenarios and tables that the tests of sweeps begin with."""

from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.plans.plan import Plan, plan_of
from simulator.scenario import Scenario, from_document

A, B = "clusters.a.count", "clusters.b.count"
IDLE_POWER = "nodes.n.idle_power"
PUE = "sites.s.pue"


def base(folder: str | Path = ".", **keys: Any) -> Scenario:
    """Return two small clusters; keys replace what stands at the top."""
    cluster = {"site": "s", "node": "n", "count": 4}
    document = {
        "schema": 1,
        "name": "tiny",
        "start": "2022-06-01T00:00:00Z",
        "horizon": "2 d",
        "seed": 7,
        "nodes": {
            "n": {
                "accelerators": 8,
                "idle_power": "1.4 kW",
                "busy_power": "5.4 kW",
                "embodied": "2500 kg",
                "lifetime": "4 y",
            }
        },
        "sites": {"s": {"pue": 1.1, "grid": {"average": {"constant": "400 g/kWh"}}}},
        "clusters": {"a": cluster, "b": cluster},
        "workloads": {
            "w": {
                "clusters": ["a", "b"],
                "arrivals": {"process": "poisson", "rate": "40 per d"},
                "duration": "4 h",
                "gpus": 2,
            }
        },
    }
    return from_document(document | keys, folder)


def plan(table: dict[str, Any], folder: str | Path = ".", **options: Any) -> Plan:
    """Return the plan of a table over the small scenario."""
    return plan_of(base(folder), table, **options)


def problems(table: dict[str, Any], **options: Any) -> dict[str, str]:
    """Return what is refused of a table, messages by path."""
    with pytest.raises(InputError) as caught:
        plan(table, **options)
    return {issue.path: issue.message for issue in caught.value.issues}


def said(plan: Plan) -> list[dict[str, Any]]:
    """Return the changes of all points."""
    return list(plan.points)
