"""For every test: the data folder, where there is one, and an engine that is compiled once."""

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer


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
def _the_engine_is_compiled_once() -> Iterator[None]:
    """Refuse a second signature of the engine's loop, which takes a minute or more to compile.

    An array of integers where every scenario has floats is enough for it.
    """
    yield
    engine = sys.modules.get("simulator.kernels.engine")
    if engine is not None:
        assert len(getattr(engine.advance, "signatures", [])) <= 1


@pytest.fixture(scope="session", autouse=True)
def _the_command_line_is_put_together_once() -> Iterator[None]:
    """Keep the commands that typer makes of functions; it makes all of them anew at each call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.main.get_command", cache(typer.main.get_command))
        yield
