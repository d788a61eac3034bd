"""The kernel decorator: one signature a kernel, a cache named by the sources."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from numba import config

from simulator.kernels import compile as compiling

PROBE = """
import numpy as np
from simulator.kernels.compile import cache_folder, kernel
print(cache_folder())
"""


def folder_seen_by(environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_cache_folder_is_named_by_a_hash_of_all_kernel_sources() -> None:
    folder = compiling.cache_folder()
    assert folder is not None
    assert folder.name == f"kernels-{compiling.source_hash()}"


def test_a_cache_folder_that_the_user_names_is_used(tmp_path: Path) -> None:
    assert Path(folder_seen_by({"NUMBA_CACHE_DIR": str(tmp_path)})).parent == tmp_path


def test_a_read_only_package_falls_back_to_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_folder = tmp_path / "a-file"
    no_folder.touch()
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(compiling, "_CACHE_PARENT", no_folder / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiling.cache_folder.cache_clear()
    try:
        folder = compiling.cache_folder()
    finally:
        compiling.cache_folder.cache_clear()
    assert folder is not None
    assert folder.parent == tmp_path / "fleetsim"


def test_without_any_place_to_write_kernels_still_compile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_folder = tmp_path / "a-file"
    no_folder.touch()
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(compiling, "_CACHE_PARENT", no_folder / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_folder / "user"))
    compiling.cache_folder.cache_clear()
    try:
        assert compiling.cache_folder() is None
        assert not compiling.is_warm()
        double = compiling.kernel(lambda value: 2 * value)
        assert double(21) == 42
    finally:
        compiling.cache_folder.cache_clear()


def test_a_cache_that_can_not_be_written_is_gone_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    compiling.cache_folder.cache_clear()
    try:
        triple = compiling.kernel(tripled)
        full = OSError(28, "No space left on device")
        monkeypatch.setattr("numba.core.caching.IndexDataCacheFile.save", raising(full))
        assert triple(14) == 42
    finally:
        compiling.cache_folder.cache_clear()
    assert not list(tmp_path.rglob("*.nbc"))


def test_an_entry_does_what_its_kernel_does_and_compiles_nothing_more() -> None:
    kernel = compiling.kernel(tripled)
    entry = compiling.entry_of(kernel, 0)
    assert [entry(value) for value in (14, -1)] == [kernel(14), kernel(-1)] == [42, -3]
    assert compiling.entry_of(tripled, 0) is tripled  # where nothing is compiled
    assert len(getattr(kernel, "overloads", [0])) == 1


def tripled(value: int) -> int:
    return 3 * value


def raising(error: OSError) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail
