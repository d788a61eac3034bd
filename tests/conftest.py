"""Fixtures for every test: the data folder, where there is one."""

import os
from pathlib import Path

import pytest


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
