"""The command line in a folder of its own, on a machine of one core, for the tests of commands."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator import figures
from simulator.cli.app import status

Shell = Callable[..., tuple[int, str, str]]
"""Runs a command, given as words; returns exit code, stdout and stderr."""


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shell:
    """Run commands in an empty folder; of each run there is one figure.

    Many runs are made in this process unless `--jobs` says otherwise: to start two others takes
    longer than the runs of most tests.
    """
    draw_one(monkeypatch)
    return shell_in(tmp_path, capsys, monkeypatch)


@pytest.fixture
def drawing_shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shell:
    """Run commands as `shell` does, with every figure of a run."""
    return shell_in(tmp_path, capsys, monkeypatch)


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one figure of each run: to draw all of them takes far longer than a small run."""
    draw_one(monkeypatch)


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this process live in UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def shell_in(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("FLEETSIM_DEBUG", raising=False)
    monkeypatch.setattr("simulator.sweeps.session.default_workers", lambda: 1)
    # What is said of kernels hangs on what ran before; test_told_of_kernels is about that.
    monkeypatch.setattr("simulator.kernels.compile.is_warm", lambda: True)
    monkeypatch.setattr("simulator.cli.kernels.ENGINE", "no kernel")

    def run(*words: object) -> tuple[int, str, str]:
        code = status([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def draw_one(monkeypatch: pytest.MonkeyPatch) -> None:
    first = figures.all_figures()[:1]
    monkeypatch.setattr(figures, "all_figures", lambda: first)
