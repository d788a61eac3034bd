"""Runs of one cluster whose nodes sleep, and what they drew."""

import math
from pathlib import Path
from typing import Any

from simulator.results import Results
from tests.builders import results_of, scenario_document, write_jobs

EXACT = 1e-12
J_PER_KWH = 3.6e6
ALWAYS_ON, LADDER = "always-on", "ladder"


def run_one(folder: Path, rows: list[Any], node: dict[str, Any], **keys: Any) -> Results:
    """Return the results of jobs (submit, duration, accelerators, utilisation) on one cluster."""
    jobs = write_jobs(folder / "jobs.csv", rows)
    return results_of(scenario_document(jobs, nodes=node, **keys))


def it_j(results: Results) -> float:
    return float(results.summary["energy_it_kwh"]) * J_PER_KWH


def at_rest_j(results: Results) -> float:
    """Return what the nodes drew beside their dynamic energy."""
    kinds = ("idle", "sleep", "transition")
    return math.fsum(results.summary[f"energy_{kind}_kwh"] for kind in kinds) * J_PER_KWH
