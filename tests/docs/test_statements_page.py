"""What docs/statements.md shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest

import simulator
from simulator import api
from simulator.cli.app import status
from simulator.explanation.job_parts import COUNTED
from simulator.explanation.statement import statement_of
from simulator.explanation.statement_document import model_card
from simulator.results import Results, save

PAGE = (Path(simulator.__file__).parent.parent / "docs" / "statements.md").read_text("utf-8")


@pytest.fixture(scope="module")
def hello() -> Results:
    return api.run("hello").results


def test_the_commands_give_what_is_shown(
    hello: Results,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    save(hello, tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    shown, commands = re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL)[:2]
    command, _, printed = shown.partition("\n")
    assert status(shlex.split(command)[2:]) == 0
    assert capsys.readouterr().out.startswith(printed.partition("...")[0])
    for line in commands.splitlines():
        assert status(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    assert (tmp_path / "card.md").read_text("utf-8").startswith("# Carbon impact statement")


def test_every_field_of_the_card_stands_on_the_page(hello: Results) -> None:
    card = model_card(statement_of(hello, workload="experiments"))
    assert set(card) == set(re.findall(r"(?m)^\| `(\w+)` \| ", PAGE))


def test_the_figures_without_parts_are_without(hello: Results) -> None:
    from simulator.explanation.figure import explained

    (said,) = re.findall(r"such as\n((?:`\w+`(?:, | and )?)+); that", PAGE)
    for key in re.findall(r"`(\w+)`", said):
        recipe = explained(hello, key)[0].recipe
        assert not recipe.parts
        assert recipe.note == COUNTED or hello.summary[key] is None
