"""The command line: what is printed where, and how each command ends."""

import json
import re
import sys
import tomllib
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from simulator import __version__, bundled
from simulator.cli import app as command_line
from simulator.cli import entry
from simulator.cli.app import GROUPS, VERBS
from tests.unit.conftest import Shell


def test_no_verb_prints_the_help(shell: Shell) -> None:
    code, out, err = shell()
    assert code == 0
    assert out.startswith("Usage: fleetsim")
    assert err == ""


@pytest.mark.parametrize("verb", [*(verb.__name__ for verb in VERBS), *GROUPS])
def test_every_verb_has_help(shell: Shell, verb: str) -> None:
    code, out, _ = shell(verb, "--help")
    assert code == 0
    assert f"fleetsim {verb}" in out
    assert "--json" in out
    assert "--quiet" in out
    assert "--no-progress" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_version(shell: Shell) -> None:
    assert shell("--version")[:2] == (0, f"fleetsim {__version__}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweeep"], "No such command 'sweeep'"),
        (["run", "--sed", "3"], "--sed"),
        (["run", "--seed", "x"], "--seed"),
        (["validate"], "FILE"),
        (["run", "a.toml", "b.toml"], "b.toml"),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_2(shell: Shell, words: list[str], said: str) -> None:
    code, out, err = shell(*words)
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert said in err
    assert "--help" in err


def test_json_of_a_refusal_is_one_document(shell: Shell) -> None:
    code, out, err = shell("validate", "absent.toml", "--json")
    document = json.loads(out)
    assert code == 2
    assert document["error"] == "refused"
    assert document["problems"]
    assert "absent.toml" in err


def test_flags_are_understood_before_the_verb_too(shell: Shell) -> None:
    assert json.loads(shell("--json", "catalog")[1]) == json.loads(shell("catalog", "--json")[1])
    assert shell("--quiet", "catalog")[1] == ""


def test_an_internal_error_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the cause\nover two lines")

    monkeypatch.setattr(command_line, "app", fail)
    code, out, err = shell("run")
    assert code == 1
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "RuntimeError: the cause over two lines" in err
    assert "FLEETSIM_DEBUG" in err
    monkeypatch.setenv("FLEETSIM_DEBUG", "1")
    assert "Traceback" in shell("run")[2]


@pytest.mark.parametrize(
    ("ending", "code"), [(KeyboardInterrupt, 130), (command_line.Terminated, 143)]
)
def test_interruptions(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, ending: type[BaseException], code: int
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise ending

    monkeypatch.setattr(command_line, "app", stop)
    assert shell("run")[0] == code


def test_an_interruption_of_the_imports_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name == "simulator.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "simulator.cli.app")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit) as left:
        entry.main()
    assert left.value.code == 130
    assert capsys.readouterr().err == "interrupted; nothing was written\n"


# -- init ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", bundled.scenarios())
def test_init_writes_a_scenario_with_a_schema_hint(shell: Shell, template: str) -> None:
    code, out, _ = shell("init", "mine.toml", "--from", template)
    text = Path("mine.toml").read_text(encoding="utf-8")
    assert code == 0
    assert "wrote mine.toml" in out
    assert text.startswith("#:schema ")
    assert tomllib.loads(text)["name"] == "mine"
    assert text.count("#") > 3


@pytest.mark.parametrize(
    "template", sorted(set(bundled.scenarios()) - {"carbon-free-247", "philly-on-ciso"})
)
def test_what_init_writes_is_valid(shell: Shell, template: str) -> None:
    shell("init", "mine.toml", "--from", template)
    code, out, err = shell("validate", "mine.toml")
    assert (code, err) == (0, "")
    assert out.startswith("mine.toml is valid: ")


def test_the_examples_that_init_writes_are_valid_without_their_mark(shell: Shell) -> None:
    shell("init", "mine.toml")
    text = Path("mine.toml").read_text(encoding="utf-8")
    examples = re.compile(r"(?m)^#(?=[a-z{\[\]])")
    assert len(examples.findall(text)) == 6
    Path("mine.toml").write_text(examples.sub("", text), encoding="utf-8")
    for idle in ('"ladder"', '"reactive"', '{ policy = "headroom", share = 0.1 }'):
        assert idle in text
        assert shell("run", "mine.toml", "--set", f"clusters.train.idle={idle}", "-o", "x", "-q",
                     "--overwrite", "--set", "horizon=8 d")[0] == 0  # fmt: skip
        summary = json.loads(Path("x/summary.json").read_text(encoding="utf-8"))
        assert summary["cost_total"] > 0
        assert summary["energy_sleep_kwh"] > 0
    code, out, err = shell("validate", "mine.toml")
    assert (code, err) == (0, "")
    assert out.startswith("mine.toml is valid: ")


def test_init_brings_sample_jobs(shell: Shell) -> None:
    code, out, _ = shell("init", "replay.toml", "--from", "trace-replay", "--json")
    assert code == 0
    assert json.loads(out) == {"written": ["replay.toml", "replay.csv"]}
    assert 'file = "replay.csv"' in Path("replay.toml").read_text(encoding="utf-8")
    assert Path("replay.csv").read_text(encoding="utf-8").startswith("job_id,submit_s,")


def test_init_never_overwrites(shell: Shell) -> None:
    Path("mine.toml").write_text("mine", encoding="utf-8")
    code, _, err = shell("init", "mine.toml")
    assert code == 2
    assert "is there already" in err
    assert Path("mine.toml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init"], "no file named"),
        (["init", "mine.yaml"], "write mine.toml"),
        (["init", "mine.toml", "--from", "gpu-flet"], "gpu-fleet, hello"),
        (["init", "absent/mine.toml"], "make the folder absent first"),
    ],
)
def test_init_refuses(shell: Shell, words: list[str], said: str) -> None:
    code, out, err = shell(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert not list(Path.cwd().iterdir())


def test_init_lists_what_ships(shell: Shell) -> None:
    code, out, _ = shell("init", "--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(bundled.scenarios())
    assert all(len(line.split()) > 3 for line in out.splitlines())


# -- catalog, schema, doctor --------------------------------------------------------------------


def test_catalog_lists_every_kind(shell: Shell) -> None:
    code, out, _ = shell("catalog")
    assert code == 0
    for name in ("hgx-a100", "CISO", "CAISO", "experiments", "production-training"):
        assert f"  {name} " in out
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize(
    "name",
    [
        *("hgx-a100", "web-server", "storage-server", "inference-6card"),
        *("CISO", "CAISO", "experiments", "production-training"),
    ],
)
def test_catalog_entry_names_units_and_sources(shell: Shell, name: str) -> None:
    code, out, _ = shell("catalog", name)
    assert code == 0
    assert "[1]" in out
    assert max(len(line) for line in out.splitlines()) <= 80
    document = json.loads(shell("catalog", name, "--json")[1])
    assert document["name"] == name
    assert all(figure["unit"] and figure["source"] for figure in document["figures"])


def test_catalog_entry_shows_each_idle_state_by_its_name(shell: Shell) -> None:
    lines = shell("catalog", "cpu-server")[1].splitlines()
    suspend, off = lines.index("  idle_states[suspend]"), lines.index("  idle_states[off]")
    between = "\n".join(lines[suspend:off])
    assert "    power       37 W  (29 to 44)  assumption" in between
    assert "    wake_time   650 ms  (50 to 1000)" in between


def test_catalog_refuses_an_unknown_name_with_the_nearest(shell: Shell) -> None:
    code, out, err = shell("catalog", "hgx-a10")
    assert (code, out) == (2, "")
    assert "did you mean hgx-a100 or " in err
    assert "fleetsim catalog lists every name" in shell("catalog", "nosuch")[2]


def test_catalog_as_json_holds_every_figure_with_its_source(shell: Shell) -> None:
    document = json.loads(shell("catalog", "--json")[1])
    assert set(document) == {
        "nodes",
        "grids",
        "workloads",
        "fuels",
        "parts",
        "storage",
        "generation",
    }
    node = document["nodes"]["hgx-a100"]
    assert {figure["key"] for figure in node["figures"]} >= {"idle_power", "busy_power"}
    assert len(document["grids"]["CISO"]["mean_g_per_kwh"]) == 288
    for entries in document.values():
        for said in entries.values():
            assert said["title"]
            assert all(f["unit"] and f["source"] and f["year"] for f in said["figures"])
    alone = json.loads(shell("catalog", "hgx-a100", "--json")[1])
    assert alone == {"kind": "nodes", "name": "hgx-a100", **node}


def test_schema_is_a_json_schema(shell: Shell) -> None:
    import jsonschema

    code, out, _ = shell("schema")
    document = json.loads(out)
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document)
    text = bundled.scenario_file("gpu-fleet").read_text(encoding="utf-8")
    scenario = json.loads(json.dumps(tomllib.loads(text), default=str))
    assert not list(validator.iter_errors(scenario))
    scenario["clusters"]["train"]["cout"] = 3
    assert list(validator.iter_errors(scenario))


def test_doctor_knows_the_machine(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETSIM_DATA", "absent-folder")
    code, out, _ = shell("doctor", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["cores"] >= 1
    assert all(facts["libraries"].values())
    assert facts["extras"]["test"] is True
    assert facts["FLEETSIM_DATA"].endswith("(no such folder)")
    text = shell("doctor")[1]
    assert "kernels" in text
    assert "numba" in text
