"""What a command says while kernels are compiled for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from simulator.cli.terminal import Terminal

ENGINE: Final = "advance"
"""The kernel that takes longest; compiled once each for plain runs, what is rare, and sharing."""


@contextmanager
def telling_of_kernels(out: Terminal) -> Iterator[None]:
    """Say, once, that what a scenario uses must be compiled first."""
    from simulator.kernels.compile import is_warm, listeners

    told = not is_warm()
    if told:
        out.note("compiling kernels (first run only) ...")

    def tell(kernel: str) -> None:
        nonlocal told
        if kernel == ENGINE and not told:
            told = True
            out.note("compiling kernels for what this scenario uses (once; about a minute) ...")

    listeners.append(tell)
    try:
        yield
    finally:
        listeners.remove(tell)
