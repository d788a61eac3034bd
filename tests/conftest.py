"""For every test: the data folder, the command line, and which tests need no compiling."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

INTERPRETED = {
    "analytic": (
        "equal_shares",
        "failures",
    ),
    "docs": (
        "dispatch_page",
        "notebook_of_schedulers",
        "placement_page",
        "scheduling_page",
        "sharing_page",
    ),
    "oracle": (
        "dispatching_agreement",
        "failing_agreement",
        "fair_share_charts",
        "preempting",
        "preempting_agreement",
        "rack_agreement",
        "scheduling",
        "scheduling_agreement",
        "sharing_agreement",
    ),
    "papers": ("shared_gpus",),
    "property": (
        "failures",
        "preemption",
        "racks",
    ),
    "unit": (
        "accelerators",
        "asked_dispatch",
        "asked_policies",
        "bill",
        "dispatch",
        "explain_figure",
        "failure_scenarios",
        "failures_and_policies",
        "fair_share",
        "placement_policies",
        "preemption_places",
        "preemption_scenarios",
        "racks",
        "scenario_scheduling",
        "sharing",
        "statement",
    ),
}
"""Files of tests, by folder, whose small runs take less time than compiling what they run.

Each set of what only some runs need (backfill, racks, failures, ...) is a kernel of its own, some
two minutes of compiling. ``make test`` plays these with numba off, ``make verify`` as they are.
"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need no compiled kernels."""
    for item in items:
        if item.path.stem.removeprefix("test_") in INTERPRETED.get(item.path.parent.name, ()):
            item.add_marker(pytest.mark.interpreted)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of real data that FLEETSIM_DATA names; skip where there is none."""
    named = os.environ.get("FLEETSIM_DATA")
    if not named:
        pytest.skip("FLEETSIM_DATA is not set; docs/data.md says where anyone gets the files")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"FLEETSIM_DATA names {named}, which is not a folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _the_command_line_is_put_together_once() -> Iterator[None]:
    """Keep the commands that typer makes of functions; it makes all of them anew at each call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.main.get_command", cache(typer.main.get_command))
        yield
