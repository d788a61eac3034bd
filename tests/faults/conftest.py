"""The misbehaving policy is known while these tests run, and to no other test."""

import importlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

from simulator.registry import provisioning
from tests.faults.running import MARKERS, Place

BOMBS: Final = "tests.faults.bombs"
LONGEST_S: Final = 900
"""A test that takes longer hangs, which is what these tests are about."""


@pytest.fixture(autouse=True)
def _bomb_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    provisioning.names()  # those that ship are registered once
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))
    monkeypatch.setenv(MARKERS, str(tmp_path))
    monkeypatch.delitem(sys.modules, BOMBS, raising=False)
    importlib.import_module(BOMBS)


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    def wake(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"nothing came of it within {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, wake)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a folder for a sweep; what still runs in the end is killed."""
    place = Place(tmp_path)
    yield place
    for run in place.runs:
        run.destroy()
