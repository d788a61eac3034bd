"""``fleetsim paper``: what it lists, makes, writes and refuses."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from simulator import bundled
from simulator.papers.page import MARK
from tests.unit.conftest import Shell

SHORT = {'horizon = "150 d"': 'horizon = "30 d"', 'warm_up = "60 d"': 'warm_up = "10 d"'}


@pytest.fixture
def short_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the first paper, with shorter and fewer runs of figure 9."""
    folder = tmp_path / "papers" / "sustainable_ai"
    shutil.copytree(bundled.papers()["sustainable-ai"], folder)
    file = folder / "figure_9_old.toml"
    text = file.read_text(encoding="utf-8").replace("seeds = 20", "seeds = 2")
    for old, new in SHORT.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(bundled, "papers", lambda: {"sustainable-ai": folder})
    return folder


def test_without_a_name_papers_and_figures_are_listed(shell: Shell) -> None:
    code, out, _ = shell("paper")
    assert code == 0
    assert "arXiv 2111.00364" in out
    assert re.search(r"(?m)^ +9  Carbon against GPU utilisation$", out)
    assert "not made: 1 (articles on arXiv), 3a (" in out
    assert max(map(len, out.splitlines())) <= 80
    code, out, _ = shell("paper", "--json")
    (first,) = [each for each in json.loads(out)["papers"] if each["name"] == "sustainable-ai"]
    assert "9" in [figure["figure"] for figure in first["figures"]]


def test_a_figure_is_made_once_and_found_again(shell: Shell, short_paper: Path) -> None:
    said = ("paper", "sustainable-ai", "--figure", "9", "-o", "made", "-j", 1)
    code, out, err = shell(*said)
    assert max(map(len, out.splitlines())) <= 80
    assert "3 (text)" in out
    assert "X4 (figure 9)" in out
    assert code == (1 if " fails " in out else 0), err
    for name in ("figures/figure_9.png", "figures/figure_9.svg", "numbers/figure_9.csv"):
        assert (Path("made") / name).stat().st_size > 0
    with Path("made/table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["published"] == "3.0"
    assert float(rows[0]["ours_low"]) < float(rows[0]["ours"]) < float(rows[0]["ours_high"])
    picture = Path("made/figures/figure_9.png").read_bytes()
    again, out, err = shell(*said, "--json")
    document = json.loads(out)
    assert again == code
    assert "compiling" not in err
    assert [figure["figure"] for figure in document["figures"]] == ["9"]
    assert Path("made/figures/figure_9.png").read_bytes() == picture
    kept = Path("made/figures/figure_9.svg").stat()
    Path("made/figures/figure_9.png").write_bytes(b"damaged")
    assert shell(*said)[0] == code
    assert Path("made/figures/figure_9.png").read_bytes() == picture
    redrawn = Path("made/figures/figure_9.svg").stat()
    assert redrawn.st_mtime_ns > kept.st_mtime_ns
    assert shell(*said)[0] == code
    assert Path("made/figures/figure_9.svg").stat().st_mtime_ns == redrawn.st_mtime_ns
    manifest = json.loads(Path("made/runs/figure_9_old/manifest.json").read_text(encoding="utf-8"))
    assert manifest["done"] == 20


def test_a_number_that_fails_ends_with_1(shell: Shell, short_paper: Path) -> None:
    file = short_paper / "expected.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("value     = 3.0", "value     = 9.0"), encoding="utf-8")
    code, out, _ = shell("paper", "sustainable-ai", "-f", "9", "-o", "made", "-j", 1)
    assert code == 1
    assert re.search(r"(?m)^ +9 \(text\) .* fails ", out)


def test_who_reads_no_table_hears_what_fails(shell: Shell, short_paper: Path) -> None:
    file = short_paper / "expected.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("value     = 3.0\nunit", "value     = 9.0\nunit", 1), "utf-8")
    code, out, err = shell("paper", "sustainable-ai", "-f", "9", "-o", "made", "-j", 1, "-q")
    assert code == 1
    assert not out
    assert "figure 9: carbon of a useful hour at 20 % over 80 %, old machines fails" in err


def test_the_document_has_all_that_the_terminal_says(shell: Shell) -> None:
    code, out, _ = shell("paper", "sustainable-ai", "-f", "4,3c", "-o", "made", "-j", 1, "--json")
    assert code == 0
    document = json.loads(out)
    assert [each["id"] for each in document["contradictions"]] == [
        "X9", "X13", "X7", "X8", "X6", "gross or net",
    ]  # fmt: skip
    assert [each["figure"] for each in document["unmade"]] == ["1", "3a", "3b", "7"]
    assert document["numbers"]["holds"]["analytic"] == 14
    assert document["numbers"]["verdicts"] == {
        "holds": 14, "fails": 0, "not reached": 0, "no check": 3,
    }  # fmt: skip
    reference, drawn = document["figures"]
    assert (reference["holds"], drawn["holds"]) == (None, True)
    assert {check["exactness"] for check in reference["checks"]} == {None}
    assert drawn["checks"][0]["key"] == "nas"


def test_what_was_fitted_is_told_in_the_order_of_the_figures(shell: Shell) -> None:
    code, out, _ = shell("paper", "sustainable-ai", "-f", "6", "-f", "5", "-o", "made", "-j", 1)
    assert code == 0
    fitted = out[out.index("fitted:") : out.index("the paper disagrees")]
    assert re.findall(r"\(figure (\w+)\)", fitted) == ["5", "5", "6"]
    assert re.search(r"(?m)^\d+ numbers hold \(\d+ analytic, \d+ calibrated\), 0 fail", out)
    assert "not made" not in out  # not all figures were asked for


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('key       = "share_4y"', 'key       = "share_4z"', "nothing of figure 5 is called so"),
        (re.compile(r'(?s)\[\[numbers\]\]\nfigure    = "5"\nkey       = "share_4y".*?\n\n'), "",
         "numbers.share_4y  figure 5 is drawn from it"),
    ],
)  # fmt: skip
def test_numbers_that_the_figure_does_not_know_or_lacks_are_refused(
    shell: Shell, short_paper: Path, old: str | re.Pattern[str], new: str, said: str
) -> None:
    file = short_paper / "expected.toml"
    text = file.read_text(encoding="utf-8")
    broken = old.sub(new, text) if isinstance(old, re.Pattern) else text.replace(old, new)
    assert broken != text
    file.write_text(broken, encoding="utf-8")
    code, _, err = shell("paper", "sustainable-ai", "-f", "5", "-o", "made", "-j", 1)
    assert code == 2
    assert said in err


def test_hourly_files_that_are_not_there_are_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLEETSIM_DATA", raising=False)
    said = ("paper", "beyond-efficiency", "-f", "6", "-o", "made", "-j", 1)
    code, out, _ = shell(*said)
    assert code == 0
    assert "hourly files are not there (docs/data.md)" in out
    svg = Path("made/figures/figure_6.svg").read_text(encoding="utf-8")
    assert "since hourly files are not there" in " ".join(svg.split())
    (figure,) = json.loads(shell(*said, "--json")[1])["figures"]
    assert figure["note"].startswith("hourly files are not there")


def test_data_that_is_not_there_is_said_and_the_rest_goes_on(
    shell: Shell, short_paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLEETSIM_DATA", raising=False)
    file = short_paper / "figure_9_modern.toml"
    grid = '{ file = "data:grid/none.csv", time = "t", value = "v", unit = "g/kWh" }'
    text = f"{file.read_text(encoding='utf-8')}\n[sites.there]\npue = 1.1\ngrid.average = {grid}\n"
    file.write_text(text, encoding="utf-8")
    code, out, _ = shell("paper", "sustainable-ai", "-f", "9", "-o", "made", "-j", 1)
    assert code == 1
    assert "missing: " in out
    assert "docs/data.md" in out
    assert not Path("made/figures/figure_9.png").exists()
    assert Path("made/table.csv").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sustainable",), 'did you mean "sustainable-ai"?'),
        (("beyond",), 'did you mean "beyond-efficiency"?'),
        (("arXiv:2111.00364",), 'did you mean "sustainable-ai"?'),
        (("sustainable-ai", "-o", "file"), "is a file; name a folder"),
        (("sustainable-ai", "-f", "5", "-o", "file/below"), "can't be written to"),
        (("--page", "page.md", "-o", "full"), "gets one for each paper"),
        (("Sustainable_AI", "-f", "fig. 99"), "no figure of this name"),
        (("sustainable-ai", "-f", "99"), "no figure of this name"),
        (("sustainable-ai", "-f", "99", "-f", "98"), "2 problems"),
        (("sustainable-ai", "-f", "3a"), "is not made: its 70 are inference services"),
        (("sustainable-ai", "-j", "0"), "0 must be at least 1"),
        (("-f", "9"), "belongs to a paper"),
    ],
)
def test_what_is_not_there_is_refused(shell: Shell, words: tuple[str, ...], said: str) -> None:
    Path("file").write_text("mine", encoding="utf-8")
    Path("page.md").write_text(f"{MARK}\n", encoding="utf-8")
    Path("full").mkdir()
    Path("full/letter.txt").write_text("dear", encoding="utf-8")
    code, out, err = shell("paper", *words)
    assert code == 2
    assert not out
    assert said in err
    assert not Path("runs").exists()


def test_a_folder_that_holds_something_else_is_refused(shell: Shell) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear", encoding="utf-8")
    Path("other").mkdir()
    Path("other/paper.json").write_text('{"paper": "another"}', encoding="utf-8")
    for folder, said in (("mine", "holds something else"), ("other", "holds the paper another")):
        code, _, err = shell("paper", "sustainable-ai", "-o", folder)
        assert code == 2
        assert said in err
    assert [path.name for path in Path("mine").iterdir()] == ["letter.txt"]


def test_a_broken_file_of_numbers_is_refused(shell: Shell, short_paper: Path) -> None:
    file = short_paper / "expected.toml"
    text = file.read_text(encoding="utf-8").replace('kind      = "emergent"', 'kind = "sure"', 1)
    file.write_text(f'{text}\n[figures.99]\ntitle = "Nothing"\n', encoding="utf-8")
    code, _, err = shell("paper", "sustainable-ai")
    assert code == 2
    assert "numbers[0].kind" in err
    assert '"sure" is none of emergent' in err
    file.write_text(text.replace('kind = "sure"', 'kind = "emergent"')
                    + '\n[figures.99]\ntitle = "Nothing"\n', encoding="utf-8")  # fmt: skip
    code, _, err = shell("paper")
    assert code == 2
    assert "figures.99" in err
    assert "nothing draws it" in err


def test_a_page_is_renewed_below_its_mark_only(shell: Shell) -> None:
    other = "## Another paper\n\nits figures\n\n"
    stale = f"stale words\n\n{other}## Published footprints of training\n\nold\n"
    Path("page.md").write_text(f"# Mine\n\n{MARK}\n{stale}", encoding="utf-8")
    said = ("paper", "training-footprints", "--page", "page.md", "-o", "made", "-j", 1)
    code, out, err = shell(*said)
    assert code == 0, err
    text = Path("page.md").read_text(encoding="utf-8")
    assert text.startswith(
        f"# Mine\n\n{MARK}\n\n## Another paper\n\nits figures\n\n## Published foot"
    )
    assert "stale words" not in text
    assert "old" not in text.splitlines()
    assert text.count("## Published footprints of training\n") == 1
    assert Path("img/papers/training-footprints_bloom.png").is_file()
    assert "figures of 1 paper written to page.md" in out
    assert Path("made/table.csv").is_file()  # a paper that is named has the folder for itself
    assert shell(*said[:2], "-o", "made", "-q")[0] == 0


def test_a_page_without_a_mark_is_refused(shell: Shell) -> None:
    Path("page.md").write_text("# Mine\n", encoding="utf-8")
    for words, rule in (
        (("--page", "page.md"), "has no line"),
        (("--page", "absent.md"), "can't be read"),
    ):
        code, _, err = shell("paper", "training-footprints", *words)
        assert code == 2
        assert rule in err
    assert Path("page.md").read_text(encoding="utf-8") == "# Mine\n"
    assert not Path("runs").exists()
