"""Published numbers: what a file of them may say, and verdicts."""

from pathlib import Path

import pandas as pd
import pytest

from simulator.errors import InputError
from simulator.papers.expected import Expected, Number, read_expected, read_tolerance
from simulator.papers.findings import Check, Finding, Measured, all_hold, checks_of, over_seeds
from simulator.papers.shelf import paper_of, papers

HEAD = """
schema = 1
title = "A paper"
source = "Somebody, 2020"
[figures.9]
title = "Carbon"
"""
ENTRY = """
[[numbers]]
figure = "9"
key = "reduction"
quantity = "reduction"
value = 3.0
unit = "x"
tolerance = "10 %"
at = "page 3"
exactness = "text"
kind = "emergent"
how = "by runs"
"""
UNMADE = """
[[unmade]]
figure = "9"
title = "Power"
why = "it needs services"
"""


def number(**said: object) -> Number:
    texts = dict.fromkeys(("figure", "key", "quantity", "unit", "at", "exactness", "how"), "a")
    return Number(**texts, kind="emergent", **said)  # type: ignore[arg-type]


def read(folder: Path, text: str) -> Expected:
    file = folder / "expected.toml"
    file.write_text(text, encoding="utf-8")
    return read_expected(file)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    expected = read(tmp_path, HEAD + ENTRY)
    (found,) = expected.numbers_of("9")
    assert (found.value, found.tolerance, found.is_relative) == (3.0, 0.1, True)
    assert expected.figures == {"9": "Carbon"}
    assert expected.numbers_of("8") == ()


def test_figures_that_are_not_made_say_why(tmp_path: Path) -> None:
    (found,) = read(tmp_path, HEAD + ENTRY + UNMADE.replace('"9"', '"7"')).unmade
    assert (found.name, found.title, found.why) == ("7", "Power", "it needs services")


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('unit = "x"', "", "numbers[0].unit", "is missing"),
        ('unit = "x"', 'unti = "x"', "numbers[0].unti", "did you mean 'unit'"),
        ("value = 3.0", 'value = "3"', "numbers[0].value", '"3" is not a number'),
        ("value = 3.0", "value = nan", "numbers[0].value", "nan is not a number"),
        ("value = 3.0", "", "numbers[0].tolerance", "is of no value"),
        ('tolerance = "10 %"', 'tolerance = "10"', "numbers[0].tolerance", "is no tolerance"),
        ('tolerance = "10 %"', "tolerance = -1", "numbers[0].tolerance", "-1 is no tolerance"),
        ('tolerance = "10 %"', "least = 4\nmost = 3", "numbers[0].least", "must be at most 3"),
        ('how = "by runs"', 'how = "x"\nmost = 3', "numbers[0].tolerance", "take its place"),
        ('how = "by runs"', 'how = "x"\nreached = 0', "numbers[0].reached", "is not true or false"),
        ('tolerance = "10 %"', "reached = false", "numbers[0].reached", "is of no check"),
        ('figure = "9"', 'figure = "8"', "numbers[0].figure", '"8" is no figure'),
        ('"text"', '"guessed"', "numbers[0].exactness", "none of exact, text, estimated"),
        ('"emergent"', '"real"', "numbers[0].kind", "none of emergent, analytic"),
        ("schema = 1", "schema = 2", "schema", "2 must be 1"),
        ('title = "A paper"', "", "title", "is missing"),
        ('title = "Carbon"', "", "figures.9.title", "is missing"),
        ('title = "Carbon"', f'title = "Carbon"{UNMADE}', "unmade[0].figure", '"9" is made'),
        (
            'title = "Carbon"',
            f'title = "Carbon"{UNMADE}'.replace("why", "wyh"),
            "unmade[0].wyh",
            "did you mean 'why'",
        ),
    ],
)
def test_a_broken_file_is_refused_with_path_and_rule(
    tmp_path: Path, old: str, new: str, path: str, words: str
) -> None:
    text = HEAD + ENTRY
    assert old in text
    with pytest.raises(InputError) as caught:
        read(tmp_path, text.replace(old, new, 1))
    (issue,) = [issue for issue in caught.value.issues if issue.path == path]
    assert words in issue.message
    assert caught.value.source.endswith("expected.toml")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = HEAD + ENTRY.replace('"text"', '"guessed"').replace('"emergent"', '"real"') + ENTRY
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert {issue.path for issue in caught.value.issues} == {
        "numbers[0].exactness",
        "numbers[0].kind",
        "numbers[1].key",
    }


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read as TOML"):
        read(tmp_path, "schema = ")
    with pytest.raises(InputError, match="can't be read as TOML"):
        read_expected(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("10 %", (0.1, True)), (0.5, (0.5, False)), (0, (0.0, False)), (True, None), ("x %", None)],
)
def test_tolerances(said: object, meant: tuple[float, bool] | None) -> None:
    assert read_tolerance(said) == meant


@pytest.mark.parametrize(
    ("said", "ours", "verdict"),
    [
        ({"value": 3.0, "tolerance": 0.1, "is_relative": True}, 3.3, "holds"),
        ({"value": 3.0, "tolerance": 0.1, "is_relative": True}, 3.31, "fails"),
        ({"value": 3.0, "tolerance": 0.1}, 3.11, "fails"),
        ({"value": 3.0, "tolerance": 0.0}, 3.0, "holds"),
        ({"least": 50.0}, 49.9, "fails"),
        ({"least": 50.0, "most": 60.0}, 60.0, "holds"),
        ({"most": 60.0}, 60.1, "fails"),
        ({"most": 60.0}, float("nan"), "fails"),
        ({"value": 3.0, "tolerance": 0.1, "is_reached": False}, 3.11, "not reached"),
        ({"value": 3.0, "tolerance": 0.1, "is_reached": False}, 3.05, "holds"),
        ({"value": 3.0, "tolerance": 0.1, "is_reached": False}, float("nan"), "fails"),
        ({"value": 3.0}, 100.0, "no check"),
        ({}, 100.0, "no check"),
    ],
)
def test_verdicts(said: dict[str, object], ours: float, verdict: str) -> None:
    check = Check(number(**said), Finding(ours))
    assert check.verdict == verdict
    assert all_hold([check]) == (verdict != "fails")


def test_differences_are_relative_where_the_tolerance_is() -> None:
    relative = number(value=-4.0, tolerance=0.1, is_relative=True)
    assert Check(relative, Finding(-3.0)).difference == pytest.approx(0.25)
    assert Check(number(value=4.0, tolerance=1.0), Finding(3.0)).difference == pytest.approx(-1.0)
    assert Check(number(most=1.0), Finding(3.0)).difference is None


def test_a_mean_over_seeds_has_its_interval() -> None:
    found = over_seeds([1.0, 2.0, 3.0])
    assert found.value == pytest.approx(2.0)
    assert found.half_width == pytest.approx(4.303 / 3**0.5, rel=1e-3)


def test_a_figure_that_lacks_a_number_is_an_error(tmp_path: Path) -> None:
    expected = read(tmp_path, HEAD + ENTRY)
    with pytest.raises(InputError, match="nothing of figure 9 is called so"):
        checks_of(expected, "9", Measured({}, pd.DataFrame()))


def test_every_paper_that_ships_can_be_read() -> None:
    found = papers()
    assert "sustainable-ai" in [paper.name for paper in found]
    for paper in found:
        for figure in paper.figures:
            assert hasattr(paper.module(figure), "draw")
            assert hasattr(paper.module(figure), "measure")
        assert paper_of(paper.name) == paper
