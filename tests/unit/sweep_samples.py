"""A base of a few jobs and sweeps of it, for the tests of sweeps."""

from pathlib import Path
from typing import Any

from simulator.plans.plan import Plan, plan_of
from simulator.scenario import Scenario, from_document

BASE: dict[str, Any] = {
    "schema": 1,
    "name": "few",
    "start": "2022-01-01T00:00:00Z",
    "horizon": "2 d",
    "seed": 7,
    "nodes": {
        "box": {
            "accelerators": 4,
            "idle_power": "400 W",
            "busy_power": "1 kW",
            "embodied": "500 kg",
            "lifetime": "4 y",
            "idle_states": [
                {"name": "sleep", "after": "10 min", "power": "50 W", "wake_time": "1 min"}
            ],
        }
    },
    "sites": {"here": {"pue": 1.2, "grid": {"average": {"constant": "400 g/kWh"}}}},
    "clusters": {"few": {"site": "here", "node": "box", "count": 3}},
    "workloads": {
        "small": {
            "clusters": ["few"],
            "arrivals": {"process": "poisson", "rate": "20 per d"},
            "duration": {"p50": "1 h", "p99": "8 h"},
            "gpus": {"choices": [1, 2, 4], "weights": [0.5, 0.3, 0.2]},
        }
    },
}

AXES: dict[str, Any] = {
    "clusters.few.count": [2, 3, 4],
    "clusters.few.idle": ["always-on", "ladder"],
    "seeds": 3,
}


def base(**changes: Any) -> Scenario:
    """Return the base, with some keys of the top replaced."""
    return from_document({**BASE, **changes})


def short_grid(folder: Path) -> dict[str, str]:
    """Write three days of intensity, and return the grid that reads them."""
    path = folder / "three_days.csv"
    hours = [f"2022-01-0{1 + hour // 24}T{hour % 24:02}:00:00Z,400" for hour in range(72)]
    path.write_text("\n".join(["time,value", *hours]) + "\n", encoding="utf-8")
    return {"file": str(path), "time": "time", "value": "value", "unit": "g/kWh"}


def plan(table: dict[str, Any] | None = None, **more: Any) -> Plan:
    """Return the plan of a table, by default of six points and three seeds."""
    return plan_of(base(), {**(AXES if table is None else table), **more})


def file(folder: Path, sweep: str = "", name: str = "grid.toml") -> Path:
    """Write the base and a sweep of it into a folder; return the sweep's file."""
    (folder / "few.toml").write_text(base().to_toml(), encoding="utf-8")
    text = sweep or (
        '[sweep]\nseeds = 3\n"clusters.few.count" = [2, 3, 4]\n'
        '"clusters.few.idle" = ["always-on", "ladder"]\n'
    )
    path = folder / name
    path.write_text(f'extends = "few.toml"\n{text}', encoding="utf-8")
    return path
