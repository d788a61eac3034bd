"""Random scenarios with curves, levels and budgets, as documents and as the readable model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from simulator.inputs import Inputs
from simulator.units import MS_PER_MIN
from tests.builders import file_grid, scenario_document, write_grid, write_jobs
from tests.oracle.ladder import Ladder
from tests.oracle.model import inputs_of
from tests.oracle.power import PowerModel, Powers

HORIZON_H = 6
LOAD_PUE = {"model": "load", "fixed": "700 W", "proportional": 0.06}
Curve = Callable[[Any], Any]
"""The share at a load, or at each load of an array."""


def document(rng: np.random.Generator, folder: Path, features: dict[str, Any]) -> dict[str, Any]:
    """Return a scenario of a few clusters on two sites."""
    numbers = range(int(rng.integers(1, 4)))
    nodes = {f"n{k}": node(rng, features) for k in numbers}
    counts = [int(rng.integers(1, 5)) for _ in numbers]
    sites = {
        "s": {"pue": features.get("pue", 1.25), "grid": a_grid(rng, folder)},
        "t": {"pue": 1.5, "grid": {"average": {"constant": "50 g/kWh"}}},
    }
    clusters: dict[str, Any] = {}
    for k in numbers:
        names = ["full", *(level["name"] for level in nodes[f"n{k}"]["power_levels"])]
        clusters[f"c{k}"] = {
            "site": str(rng.choice(["s", "s", "t"])),
            "node": f"n{k}",
            "count": counts[k],
            "placement": str(rng.choice(["pack", "first-fit", "spread"])),
            "power_level": names[0] if rng.random() < 0.7 else str(rng.choice(names)),
            "idle": "ladder" if nodes[f"n{k}"]["idle_states"] else "always-on",
        }
    route = [int(k) for k in rng.permutation(len(clusters))[: rng.integers(1, len(clusters) + 1)]]
    rows = jobs(rng, max(counts[k] * nodes[f"n{k}"]["accelerators"] for k in route))
    path = write_jobs(folder / "j.csv", rows, "submit_s,duration_s,gpus,utilisation,priority")
    said = scenario_document(path, horizon=f"{HORIZON_H} h", warm_up=features.get("warm_up", "0 s"))
    said |= {"nodes": nodes, "sites": sites, "clusters": clusters}
    said["drain"] = bool(rng.random() < 0.4)
    said["workloads"]["w"]["clusters"] = [f"c{k}" for k in route]
    # The file says it, but where it may be drawn, jobs that no budget allows are no mistake.
    said["workloads"]["w"]["utilisation"] = {"dist": "uniform", "low": 0, "high": 1}
    if features.get("budgets"):
        limit(rng, said)
    return said


def node(rng: np.random.Generator, features: dict[str, Any]) -> dict[str, Any]:
    idle_w, span_w = int(rng.integers(50, 400)), int(rng.integers(100, 2000))
    made: dict[str, Any] = {
        "accelerators": int(rng.choice([1, 2, 4, 8])),
        "embodied": "1000 kg",
        "lifetime": "4 y",
        "power_levels": [],
        "idle_states": [],
    }
    kind = str(rng.choice(features["curves"]))
    if kind == "components":
        made["components"] = [
            {"name": "host", "idle_power": f"{idle_w} W", "busy_power": f"{idle_w + span_w / 2} W",
             "load_curve": curve(rng, "exponent")},
            {"name": "card", "count": 3, "idle_power": "10 W", "busy_power": "75 W",
             "load_curve": curve(rng, str(rng.choice(["points", "linear"])))},
        ]  # fmt: skip
        idle_w, span_w = idle_w + 30, span_w / 2 + 195
    else:
        made |= {"idle_power": f"{idle_w} W", "busy_power": f"{idle_w + span_w} W"}
        made["load_curve"] = curve(rng, kind)
    for k, share in enumerate(sorted(rng.uniform(0.2, 0.9, rng.integers(0, 3)))[::-1]):
        speed = round(0.9 - 0.3 * k, 2)
        watts = round(idle_w + span_w * share, 3)
        made["power_levels"].append({"name": f"l{k}", "speed": speed, "busy_power": f"{watts} W"})
    if features.get("sleep") and rng.random() < 0.8:
        made["idle_states"] = ladder(rng, idle_w)
    return made


def curve(rng: np.random.Generator, kind: str) -> Any:
    if kind == "exponent":
        return {"exponent": round(float(rng.uniform(1.0, 2.0)), 3)}
    if kind == "linear":
        return "linear"
    inner = zip(sorted(rng.uniform(0.05, 0.95, 3)), sorted(rng.uniform(0, 1, 3)), strict=True)
    return {"points": [[0.0, 0.0], *([float(u), float(f)] for u, f in inner), [1.0, 1.0]]}


def ladder(rng: np.random.Generator, idle_w: float) -> list[dict[str, Any]]:
    states = [
        {"name": "sleep", "after": "5 min", "power": "20 W", "enter_time": "7 s",
         "enter_power": f"{idle_w * rng.choice([0.5, 1.3])} W", "wake_time": "90 s",
         "wake_power": f"{idle_w * rng.choice([1.0, 1.8])} W"},
        {"name": "off", "after": "20 min", "power": "3 W", "wake_time": "240 s"},
    ]  # fmt: skip
    return states[: int(rng.integers(1, 3))]


def jobs(rng: np.random.Generator, most_gpus: int) -> list[tuple[Any, ...]]:
    count = int(rng.integers(5, 60))
    submit_s = np.sort(rng.integers(0, 5 * 12, count)) * 300 + rng.integers(0, 2) * 17
    submit_s = np.minimum(np.sort(submit_s), HORIZON_H * 3600 - 1)
    gpus = np.minimum(rng.choice([1, 1, 2, 3, 4, 5, 8, 12], count), most_gpus)
    duration_s = rng.choice([0, 60, 300, 900, 3600, 9000], count) + rng.integers(0, 3, count)
    use = rng.choice([0.0, 0.3, 0.55, 1.0, 0.9], count)
    priority = rng.integers(0, 2, count)
    columns = (submit_s, duration_s, gpus, use, priority)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def a_grid(rng: np.random.Generator, folder: Path) -> dict[str, Any]:
    values = [float(g) for g in rng.integers(0, 900, 2 * HORIZON_H)]
    path = write_grid(folder / "g.csv", "2022-01-01T00:00:00Z", 30 * MS_PER_MIN, values)
    return {**file_grid(path), "after_end": "wrap"}


def watts(text: str) -> float:
    return float(text.removesuffix(" W"))


def limit(rng: np.random.Generator, said: dict[str, Any]) -> None:
    """Give clusters and sites budgets between what they draw without work and a little more."""
    on_site = {"s": [0.0, 0.0], "t": [0.0, 0.0]}
    for cluster in said["clusters"].values():
        made = said["nodes"][cluster["node"]]
        parts = made.get("components", [made])
        idle_w, busy_w = (
            sum(part.get("count", 1) * watts(part[key]) for part in parts)
            for key in ("idle_power", "busy_power")
        )
        extra = [watts(s[k]) for s in made["idle_states"] for k in s if k.endswith("r_power")]
        extra += [watts(s["wake_power"]) for s in made["idle_states"] if "wake_power" in s]
        floor_w = max(idle_w, *extra) * cluster["count"] if extra else idle_w * cluster["count"]
        span_w = (busy_w - idle_w) * cluster["count"]
        on_site[cluster["site"]][0] += floor_w
        on_site[cluster["site"]][1] += span_w
        if rng.random() < 0.7:
            cluster["power_budget"] = f"{floor_w + span_w * rng.uniform(0.05, 0.9)} W"
    for site, (floor_w, span_w) in on_site.items():
        if rng.random() < 0.6 and span_w:
            budget_w = floor_w + span_w * rng.uniform(0.1, 0.8)
            said["sites"][site]["power_budget"] = f"{budget_w} W"


# The same for the readable model


def model_of(said: dict[str, Any], opened: Inputs) -> PowerModel:
    """Return the model of a scenario; numbers of its clusters are read from the fleet's columns."""
    fleet = opened.fleet
    clusters, rows = inputs_of(fleet, opened.jobs)
    names = [*said["clusters"].values()]
    made = [said["nodes"][cluster["node"]] for cluster in names]
    powers = []
    for k, (cluster, kind) in enumerate(zip(names, made, strict=True)):
        levels = range(int(fleet.level_count[k]))
        curves = curves_of(kind)
        powers.append(
            Powers(
                curve=curves,
                bent=kind.get("load_curve") != "linear",
                concave=is_concave(curves),
                levels=tuple(
                    (float(fleet.level_speed[k, at]), float(fleet.level_draw[k, at]))
                    for at in levels
                ),
                own_speed=float(fleet.own_speed[k]),
                floor_w=float(fleet.floor_w[k]),
                site=int(fleet.site[k]),
                budget_w=watts(cluster.get("power_budget", "inf W")),
            )
        )
    return PowerModel(
        clusters,
        [ladder_of(kind, float(fleet.idle_w[k])) for k, kind in enumerate(made)],
        rows,
        HORIZON_H * 3_600_000,
        powers=powers,
        site_budgets_w=limits_w(said)[1],
        drain=said["drain"],
    )


def curves_of(kind: dict[str, Any]) -> Curve:
    """Return the share of the span that a node draws at a load."""
    if "components" not in kind:
        return share_of(kind["load_curve"])
    spans = [
        part.get("count", 1) * (watts(part["busy_power"]) - watts(part["idle_power"]))
        for part in kind["components"]
    ]
    own = [share_of(part["load_curve"]) for part in kind["components"]]
    return lambda u: sum(w * f(u) for w, f in zip(spans, own, strict=True)) / sum(spans)


def share_of(said: Any) -> Curve:
    if said == "linear":
        return lambda u: u
    if "exponent" in said:
        return lambda u: 2 * (held := np.maximum(u, 0.0)) - held ** said["exponent"]
    loads, shares = np.array(said["points"]).T
    return lambda u: np.interp(u, loads, shares)


def is_concave(curve: Curve) -> bool:
    at = curve(np.linspace(0, 1, 20_001))
    return bool((np.diff(at, 2) <= 1e-12).all())


def ladder_of(kind: dict[str, Any], idle_w: float) -> Ladder | None:
    states = kind["idle_states"]
    if not states:
        return None

    def ms(state: dict[str, Any], key: str) -> int:
        number, unit = state.get(key, "0 s").split()
        return round(float(number) * {"s": 1000, "min": 60_000}[unit])

    node_idle_w = watts(kind["idle_power"]) if "idle_power" in kind else idle_w

    def drawn_w(key: str) -> tuple[float, ...]:
        return tuple(watts(s[key]) if key in s else node_idle_w for s in states)

    return Ladder(
        after_ms=tuple(ms(state, "after") for state in states),
        enter_ms=tuple(ms(state, "enter_time") for state in states),
        power_w=tuple(watts(state["power"]) for state in states),
        enter_w=drawn_w("enter_power"),
        wake_ms=tuple(ms(state, "wake_time") for state in states),
        wake_w=drawn_w("wake_power"),
    )


def limits_w(said: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Return the budgets of the clusters and of the sites, inf where there is none."""
    clusters, sites = (
        [watts(entry.get("power_budget", "inf W")) for entry in said[part].values()]
        for part in ("clusters", "sites")
    )
    return clusters, sites
