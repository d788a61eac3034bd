"""Files that runs read must stay what they were when the sweep began, as its digest says."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from simulator.plans.digest import content_of
from simulator.sweeps.work import ChangedError

_REMEDY = "no table is made of runs before and after; leave it as it is while runs read it"


class Unchanged:
    """Knows files by content, and looks again where one was touched.

    Parameters
    ----------
    files : mapping of Path to str
        SHA-256 of each file at the beginning. One that is not among them has to stay what it is
        when it is first looked at.
    """

    def __init__(self, files: Mapping[Path, str]) -> None:
        self._content = dict(files)
        self._stamps: dict[Path, tuple[int, ...]] = {}

    def check(self, paths: Iterable[Path]) -> None:
        """Refuse files that are not what they were.

        Raises
        ------
        ChangedError
            For the first that has another content, or is no longer there.
        """
        for path in paths:
            try:
                self._check(path)
            except ChangedError:
                raise
            except OSError as error:
                words = (error.strerror or str(error)).lower()
                raise ChangedError(
                    f"{path} was there and is not now ({words}); {_REMEDY}"
                ) from error

    def _check(self, path: Path) -> None:
        stamp = _stamp(path)
        if self._stamps.get(path) == stamp:
            return
        content = content_of(path)
        if self._content.setdefault(path, content) != content:
            raise ChangedError(f"{path} was changed while runs read it; {_REMEDY}")
        self._stamps[path] = stamp


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
