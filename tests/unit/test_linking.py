"""Kernels that others call are linked into the one that Python calls, once, and never emitted."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config

from simulator.kernels.compile import kernel

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")


@kernel
def least(values: Any, limit: Any) -> Any:
    found = limit
    for value in values:
        found = min(found, value)
    return found


@kernel(inline="llvm")
def least_of_two(values: Any, others: Any) -> Any:
    return min(least(values, 100), least(others, 100))


@kernel
def spread(values: Any, others: Any) -> Any:
    total = 0
    for value in values:
        total += value // 2
    return total - least_of_two(values, others) + least(others, 7)


VALUES, OTHERS = np.array([9, 4, 6]), np.array([8, 3])


def module_of(dispatcher: Any) -> Any:
    (compiled,) = dispatcher.overloads.values()
    return compiled.library._final_module


def test_an_entry_does_what_its_source_says() -> None:
    assert spread(VALUES, OTHERS) == (4 + 2 + 3) - 3 + 3
    assert least(VALUES, 100) == 4  # called from Python after it was a step


def test_a_step_is_compiled_for_python_only_once_python_calls_it() -> None:
    spread(VALUES, OTHERS)
    assert not least_of_two.overloads
    assert least_of_two(VALUES, OTHERS) == 3
    assert len(least_of_two.overloads) == 1


def test_all_that_an_entry_calls_is_its_own() -> None:
    """Functions that only their entry sees lose unused arguments, and bodies that were inlined."""
    spread(VALUES, OTHERS)
    seen = [
        function
        for function in module_of(spread).functions
        if not function.is_declaration and "least" in function.name
    ]
    assert all(str(function.linkage).endswith("internal") for function in seen)


def test_what_is_inlined_passes_that_on_to_nobody() -> None:
    """Numba lets a kernel inherit ``forceinline`` from the caller that it is compiled for."""
    spread(VALUES, OTHERS)
    assert least.targetoptions["forceinline"] is False
    assert least_of_two.targetoptions["forceinline"] is True


def test_a_division_by_zero_in_a_step_is_raised() -> None:
    @kernel
    def share(value: Any, parts: Any) -> Any:
        return value // parts

    @kernel
    def shared(value: Any, parts: Any) -> Any:
        return share(value, parts) + 1

    assert shared(6, 3) == 3
    with pytest.raises(ZeroDivisionError):
        shared(6, 0)


SORTED = """
import numpy as np
from simulator.kernels import compile as kernels
from simulator.kernels.sorting import sort
told = []
kernels.listeners.append(told.append)
values = np.array([3, 1, 2])
sort(values, 3)
print(values.tolist(), told)
"""


def test_a_second_process_finds_an_entry_with_its_steps_in_the_cache(tmp_path: Path) -> None:
    def said() -> str:
        return subprocess.run(
            [sys.executable, "-c", SORTED],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    assert said() == "[1, 2, 3] ['sort']"
    assert said() == "[1, 2, 3] []"
    assert len(list(tmp_path.rglob("*.nbc"))) == 1, "steps are kept in no file of their own"
