"""The misbehaving policy is known while these tests run, and to no other test."""

import importlib
import sys
from pathlib import Path

import pytest

from simulator.registry import provisioning
from tests.faults.running import MARKERS, Place

BOMBS = "tests.faults.bombs"


@pytest.fixture(autouse=True)
def _bomb_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    provisioning.names()  # those that ship are registered once
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))
    monkeypatch.setenv(MARKERS, str(tmp_path))
    monkeypatch.delitem(sys.modules, BOMBS, raising=False)
    importlib.import_module(BOMBS)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a folder for a sweep."""
    return Place(tmp_path)
