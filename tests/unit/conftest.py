"""The command line in a folder of its own, for the tests of commands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.cli.app import status

Shell = Callable[..., tuple[int, str, str]]
"""Runs a command, given as words; returns exit code, stdout and stderr."""


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shell:
    """Run commands in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLEETSIM_DEBUG", raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        code = status([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
