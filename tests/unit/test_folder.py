"""The folder of a run: refused before simulating, written whole or not at all, named safely."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.columns import TABLES
from simulator.errors import InputError
from simulator.folder import check_folder, run_folder, slug, write_folder
from simulator.results import load_results, save
from tests.unit.results_sample import KEY, sample

FILES = {"manifest.json", "scenario.toml", "summary.json", "columns.csv"}
FILES |= {f"{name}.parquet" for name in TABLES}


# Refusals before anything is written


def other_file(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")


def earlier_run(folder: Path) -> None:
    save(sample(jobs=3), folder)


def link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir()
    folder.symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (other_file, "files that no run wrote"),
        (earlier_run, "results of another run"),
        (link, "is a link"),
        (lambda folder: folder.write_text("x"), "is a file"),
    ],
)
def test_a_folder_in_use_is_refused_and_left_alone(
    tmp_path: Path, prepare: Callable[[Path], Any], words: str
) -> None:
    prepare(tmp_path / "out")
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(InputError, match=words):
        check_folder(tmp_path / "out")
    with pytest.raises(InputError, match=words):
        save(sample(jobs=3), tmp_path / "out")
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    "folder", ["/proc/none/run", "/dev/null/run", "x" * 300, "a/" + "y" * 300, "a\0b", "/proc"]
)
def test_a_folder_that_cannot_be_is_refused_before_simulating(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        check_folder(folder)
    assert not any(tmp_path.iterdir())


def test_the_current_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="current folder"):
        check_folder(".")


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    save(sample(jobs=3), tmp_path / "run")
    assert (tmp_path / "run/manifest.json").is_file()


def test_overwriting_replaces_a_run_but_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    save(sample(jobs=3), folder, extra_files={"report.html": b"old"})
    save(sample(jobs=5), folder, overwrite=True)
    assert {path.name for path in folder.iterdir()} == FILES
    assert len(load_results(folder).tables["jobs"]) == 5
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt"):
        save(sample(jobs=3), folder, overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit(143), OSError(28, "disk full")])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interruption_leaves_no_half_folder(
    tmp_path: Path, error: BaseException, overwrite: bool
) -> None:
    if overwrite:
        save(sample(jobs=3), tmp_path / "new/run")

    def stop(path: Path) -> None:
        path.write_text("half")
        raise error

    writers = {"summary.json": lambda path: path.write_text("{}"), "manifest.json": stop}
    expected = InputError if isinstance(error, OSError) else BaseException
    with pytest.raises(expected):
        write_folder(tmp_path / "new/run", writers, overwrite=overwrite)
    if overwrite:
        assert len(load_results(tmp_path / "new/run").tables["jobs"]) == 3
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["run"]
    else:
        assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../x", "/x", "figures/../../x", "surprise.pkl"])
def test_only_files_of_a_run_are_written_and_only_inside(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a file of a run"):
        save(sample(jobs=3), tmp_path / "run", extra_files={name: b""})
    assert not any(tmp_path.iterdir())


# Names


def test_a_plain_name_is_its_own_slug() -> None:
    assert run_folder("research-cluster", KEY) == Path("runs/research-cluster-01234567")
    assert slug("philly_on_ciso") == "philly_on_ciso"


def test_odd_names_give_safe_and_distinct_folders() -> None:
    names = ["a", "A", "á", "a b", "a-b", "a/b", "../a", "..", "", "-", "🔥", "🚀", "a\nb"]
    names += ["n" * 300, "n" * 299, "n" * 44, "\ud800", "con.", "a--b"]
    slugs = [slug(name) for name in names]
    assert len({text.lower() for text in slugs}) == len(names)
    for text in slugs:
        assert 0 < len(text) <= 44
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
        assert text[0] != "-"
