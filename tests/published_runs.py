"""Published training runs as scenarios, and what the page that tells of them says."""

import re
import tomllib
from pathlib import Path
from typing import Any

from simulator import bundled

HEAD = {"schema": 1, "start": "2022-01-01T00:00:00Z"}
PAGE = (Path(__file__).parent.parent / "docs" / "embodied.md").read_text(encoding="utf-8")

BLOOM_GPUS = 384


def training(
    gpus: int, gpu_w: float, hours: float, pue: float, g_per_kwh: float, **node: Any
) -> dict[str, Any]:
    """Return the document of one job on a fleet of its size, 8 accelerators to a node.

    Parameters
    ----------
    gpus : int
    gpu_w : float
        Mean system power of one accelerator, above what `node` says of idle power. [W]
    hours, pue, g_per_kwh : float
    **node
        Entries that replace those of the node type.
    """
    job = {
        "clusters": ["c"],
        "phase": "training",
        "arrivals": {"process": "regular", "every": f"{2 * hours!r} h"},
        "duration": f"{hours!r} h",
        "gpus": gpus,
    }
    return {
        **HEAD,
        "name": "published",
        "horizon": f"{hours!r} h",
        "nodes": {
            "n": {
                "accelerators": 8,
                "idle_power": "0 W",
                "busy_power": f"{8 * gpu_w!r} W",
                "embodied": "0 kg",
                "lifetime": "4 y",
                **node,
            }
        },
        "sites": {"s": {"pue": pue, "grid": {"average": {"constant": f"{g_per_kwh!r} g/kWh"}}}},
        "clusters": {"c": {"site": "s", "node": "n", "count": gpus // 8}},
        "workloads": {"w": job},
    }


def bloom_alone() -> dict[str, Any]:
    """Return the training of BLOOM, its accelerators alone, on the grid of France."""
    return _bloom(0)


def bloom_whole() -> dict[str, Any]:
    """Return the same with what its servers draw idle, and what making them took, by use."""
    return _bloom(1)


def _bloom(point: int) -> dict[str, Any]:
    """Return a point of the sweep that the papers' figure of BLOOM is made of."""
    file = bundled.papers()["training-footprints"] / "bloom.toml"
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    document["nodes"]["server"] = document.pop("sweep")["nodes.server"][point]
    return document


def replacing(g_per_kwh: float, *, new: bool) -> dict[str, Any]:
    """Return 80 GPU-days of work a day for 3 years: on ten old servers, or on eight new ones."""
    gpus = 64 if new else 80
    return {
        **HEAD,
        "name": "replace",
        "horizon": "3 y",
        "nodes": {
            "n": {
                "accelerators": 8,
                "idle_power": "1.4 kW",
                "busy_power": "5.4 kW",
                "relative_speed": 1.25 if new else 1.0,
                "embodied": "2500 kg" if new else "0 kg",
                "lifetime": "3 y",
            }
        },
        "sites": {"s": {"pue": 1.1, "grid": {"average": {"constant": f"{g_per_kwh!r} g/kWh"}}}},
        "clusters": {"c": {"site": "s", "node": "n", "count": gpus // 8}},
        "workloads": {
            "w": {
                "clusters": ["c"],
                "arrivals": {"process": "regular", "every": "1 d"},
                "gpu_days": 80,
                "gpus": gpus,
            }
        },
        "accounting": {"interval": "1 d"},
    }


def examples() -> list[dict[str, Any]]:
    """Return the scenarios of the page: parts, and refresh."""
    return [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]


def rows_under(heading: str) -> list[list[str]]:
    """Return the rows of the table of the page whose heading begins so, cell by cell."""
    start = PAGE.index(f"| {heading} |")
    lines = PAGE[start:].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
