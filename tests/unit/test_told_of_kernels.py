"""A command says that kernels are compiled for it, once, and only where they are."""

from typing import Any

import pytest

from simulator.cli.kernels import telling_of_kernels
from simulator.kernels import compile as kernels


class Terminal:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize(
    ("warm", "said"), [(True, "what this scenario uses"), (False, "first run")]
)
def test_it_is_said_once(monkeypatch: pytest.MonkeyPatch, warm: bool, said: str) -> None:
    monkeypatch.setattr(kernels, "is_warm", lambda: warm)
    out: Any = Terminal()
    with telling_of_kernels(out):
        for _ in range(2):
            kernels._telling(lambda: None, "advance")()
    assert len(out.said) == 1
    assert said in out.said[0]
    assert kernels.listeners == []


def test_what_is_in_the_cache_or_small_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "is_warm", lambda: True)
    out: Any = Terminal()
    with telling_of_kernels(out):
        assert kernels._telling(lambda: "compiled", "advance")() == "compiled"
        kernels._telling(lambda: None, "dispatch")()
    assert out.said == []
