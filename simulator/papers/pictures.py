"""Pictures of figures: drawn once, and again only when what they are drawn from has changed."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from simulator.figures import style
from simulator.figures.style import render
from simulator.papers import bars
from simulator.papers.check_table import check_document
from simulator.papers.findings import Check, Measured
from simulator.results import library_versions
from simulator.sweeps.partial import file_digest, replaced, write_text

KEPT: Final = "drawn.json"
"""What each picture was drawn from, and its bytes, as digests."""


def keep_pictures(
    module: ModuleType,
    measured: Measured,
    checks: Sequence[Check],
    files: dict[str, str],
    folder: Path,
) -> None:
    """Draw a figure as PNG and SVG unless the same ones lie there.

    Parameters
    ----------
    module : module
        Of the figure.
    measured : Measured
    checks : sequence of Check
    files : dict
        Where its ``png`` and its ``svg`` belong.
    folder : Path
        Where it is kept what they were drawn from.
    """
    kept = _kept(folder / KEPT)
    drawn_from = _digest(module, measured, checks)
    name = Path(files["png"]).stem
    if kept.get(name) == [drawn_from, *(_of_file(files[kind]) for kind in ("png", "svg"))]:
        return
    figure = module.draw(measured.numbers, checks)
    digests = [drawn_from]
    for content, file in (
        (render(figure, "png"), files["png"]),
        (render(figure, "svg"), files["svg"]),
    ):
        digests.append(replaced(Path(file), partial(_write, content=content)))
    write_text(folder / KEPT, json.dumps({**kept, name: digests}, indent=2) + "\n")


def _digest(module: ModuleType, measured: Measured, checks: Sequence[Check]) -> str:
    """Return the digest of all that decides how a picture looks."""
    found = hashlib.sha256()
    for source in (module, bars, style):
        assert source.__file__ is not None
        found.update(Path(source.__file__).read_bytes())
    found.update(measured.numbers.to_csv(index=False).encode())
    said = [[check.number.key, check_document(check)] for check in checks]
    found.update(json.dumps([said, library_versions()], sort_keys=True).encode())
    return found.hexdigest()


def _kept(file: Path) -> dict[str, Any]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _of_file(file: str) -> str | None:
    try:
        return file_digest(Path(file))
    except OSError:
        return None


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
