"""Kernels that others call are linked into the one that Python calls, once, and never emitted."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config
from numba.core.codegen import JITCodeLibrary

from simulator.kernels import compile as kernels
from simulator.kernels import linking
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


def test_an_entry_does_what_its_source_says() -> None:
    assert spread(VALUES, OTHERS) == (4 + 2 + 3) - 3 + 3
    assert least(VALUES, 100) == 4  # called from Python after it was a step


def test_a_step_is_compiled_for_python_only_once_python_calls_it() -> None:
    spread(VALUES, OTHERS)
    assert not least_of_two.overloads
    assert least_of_two(VALUES, OTHERS) == 3
    assert len(least_of_two.overloads) == 1


@pytest.fixture
def linked(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, bool]]:
    """Return linkage, and whether it is always inlined, of all that entries have before LLVM."""
    seen: dict[str, tuple[str, bool]] = {}
    optimise = JITCodeLibrary._optimize_final_module

    def noting(library: Any) -> None:
        for function in library._final_module.functions:
            if not function.is_declaration:
                inlined = any(b"alwaysinline" in each for each in function.attributes)
                seen[function.name] = function.linkage.name, inlined
        optimise(library)

    monkeypatch.setattr(JITCodeLibrary, "_optimize_final_module", noting)
    return seen


def of(linked: dict[str, tuple[str, bool]], name: str) -> list[tuple[str, bool]]:
    return [said for mangled, said in linked.items() if f"{len(name)}{name}B" in mangled]


def step_of(body: Any, **options: Any) -> Any:
    """Return a kernel that no cache has, which would keep no module."""
    return kernels._compiled(body, **options)


def longer(values: Any, limit: Any) -> Any:
    return limit + len(values)


def test_all_that_an_entry_calls_is_its_own(linked: dict[str, tuple[str, bool]]) -> None:
    """Functions that only their entry sees lose unused arguments, and bodies that were inlined."""
    step = step_of(longer)

    def twice(values: Any, others: Any) -> Any:
        return step(values, 1) + step(others, 1)

    assert step_of(twice)(VALUES, OTHERS) == 1 + 3 + 1 + 2
    assert [linkage for linkage, _ in of(linked, "longer")] == ["internal"]
    assert [linkage for linkage, _ in of(linked, "twice")] == ["external"] * 2


def test_what_is_inlined_passes_that_on_to_nobody(linked: dict[str, tuple[str, bool]]) -> None:
    """Numba lets a kernel inherit ``forceinline`` from the caller that it is compiled for."""
    inner = step_of(longer)

    def inlined(values: Any) -> Any:
        return inner(values, 3) + 1

    middle = step_of(inlined, forceinline=True)

    def outer(values: Any) -> Any:
        return middle(values) + 1

    assert step_of(outer)(VALUES) == 3 + 3 + 2
    assert [always for _, always in of(linked, "inlined")] == [True]
    assert [always for _, always in of(linked, "longer")] == [False]


@pytest.mark.parametrize("lacking", ["compilers", "is_known"])
def test_a_numba_that_lacks_private_parts_compiles_as_it_does(
    monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    answer = None if lacking == "compilers" else False
    monkeypatch.setattr(kernels, lacking, lambda *_: answer)
    step = step_of(longer)

    def twice(values: Any, others: Any) -> Any:
        return step(values, 1) + step(others, 1)

    assert step_of(twice)(VALUES, OTHERS) == 1 + 3 + 1 + 2


def test_what_is_relied_on_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert linking.is_possible()
    monkeypatch.setattr(linking, "RELIED_ON", (*linking.RELIED_ON, "_no_such_part"))
    assert not linking.is_possible()


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
