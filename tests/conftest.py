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
        "supply",
    ),
    "docs": (
        "dispatch_page",
        "notebook_of_schedulers",
        "placement_page",
        "scheduling_page",
        "sharing_page",
        "supply_page",
        "write_a_policy_page",
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
        "supply",
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
        "supply_report",
    ),
}
"""Files of tests, by folder, whose small runs take less time than compiling what they run.

What only some runs need (backfill, racks, failures, ...) is a second engine, about a minute of
compiling. ``make test`` plays these with numba off, ``make verify`` as they are.
"""

LONG = ("docs", "faults")
"""Folders of tests that take seconds each: one that comes last keeps one process waiting alone."""


def is_interpreted(path: Path) -> bool:
    return path.stem.removeprefix("test_") in INTERPRETED.get(path.parent.name, ())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of which the expression after ``-m`` takes no test: two hundred take 15 s."""
    other = "not interpreted" if is_interpreted(collection_path) else "interpreted"
    wanted = config.getoption("markexpr").split(" and ")
    return True if collection_path.is_file() and other in wanted else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need no compiled kernels, and put the folders of long ones first."""
    for item in items:
        if is_interpreted(item.path):
            item.add_marker(pytest.mark.interpreted)
        elif item.get_closest_marker("interpreted"):
            raise pytest.UsageError(
                f"{item.path}: name the file in INTERPRETED of tests/conftest.py"
            )
    items.sort(key=lambda item: item.path.parent.name not in LONG)


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
