"""Plug-ins by kind and name: what can be registered, what is refused, where they are found."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import simulator as fs
from simulator.registry import Form, Kind, Plugin, provisioning
from tests.architecture.test_imports import python

MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.names()
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


def registered(name: str) -> Plugin:
    plugin = provisioning.get(name)
    assert plugin is not None
    return plugin


def test_the_decorator_gives_the_function_back_and_knows_it_by_name() -> None:
    @fs.provisioning("mine")
    def mine(env: Any, cluster: Any, *, every_ms: int = MINUTE_MS) -> Iterator[Any]:
        """Do nothing, now and then.

        Parameters
        ----------
        every_ms : int
            Time between
            two nothings.

        Notes
        -----
        every_ms : int
            Not this.
        """
        yield env.timeout(every_ms)

    plugin = registered("mine")
    assert plugin.function is mine
    assert (plugin.name, plugin.form) == ("mine", "controller")
    assert plugin.summary == "Do nothing, now and then."
    (parameter,) = plugin.parameters
    assert (parameter.name, parameter.key, parameter.dimension) == ("every_ms", "every", "time")
    assert (parameter.default, parameter.required) == (MINUTE_MS, False)
    assert parameter.meaning == "Time between two nothings."
    assert "mine" in provisioning.names()


def test_the_form_of_a_function_says_which_kind_of_policy_it_is() -> None:
    @fs.provisioning("of-states")
    def of_states(states: Any) -> Any:
        return states

    assert registered("of-states").form == "descent"


def test_the_unit_that_ends_a_name_gives_the_dimension() -> None:
    @fs.provisioning("units")
    def units(
        env: Any,
        cluster: Any,
        *,
        a_ms: int,
        b_w: float,
        c_j: float,
        d_g: float,
        e_g_per_kwh: float,
        f_per_ms: float,
        g_degc: float,
        h_l_per_kwh: float,
        nodes: int,
    ) -> Iterator[Any]:
        yield

    assert {each.key: each.dimension for each in registered("units").parameters} == {
        "a": "time",
        "b": "power",
        "c": "energy",
        "d": "mass",
        "e": "intensity",
        "f": "rate",
        "g": "temperature",
        "h": "water",
        "nodes": None,
    }
    assert all(each.required for each in registered("units").parameters)


def first_arguments_swapped() -> Any:
    def policy(cluster: Any, env: Any) -> Iterator[Any]:
        yield

    return policy


def plain_controller() -> Any:
    def policy(env: Any, cluster: Any) -> None:
        return None

    return policy


def without_type() -> Any:
    def policy(env, cluster, *, nodes=4):
        yield

    return policy


def with_rest() -> Any:
    def policy(env: Any, cluster: Any, **rest: int) -> Iterator[Any]:
        yield

    return policy


def in_seconds() -> Any:
    def policy(env: Any, cluster: Any, *, every_s: float = 3.0) -> Iterator[Any]:
        yield

    return policy


def two_with_one_key() -> Any:
    def policy(env: Any, cluster: Any, *, every_ms: int = 1, every_w: float = 1.0) -> Iterator[Any]:
        yield

    return policy


def with_a_key_that_is_taken() -> Any:
    def policy(env: Any, cluster: Any, *, max_waking: int = 1) -> Iterator[Any]:
        yield

    return policy


def with_an_unknown_type() -> Any:
    def policy(env: Any, cluster: Any, *, nodes: "Nowhere" = 1) -> Iterator[Any]:  # noqa: F821
        yield

    return policy


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (first_arguments_swapped, r"a generator function of \(cluster, env\); write a plain"),
        (plain_controller, r"a plain function of \(env, cluster\); write a plain function of \(st"),
        (without_type, "nodes has no type; write e.g. nodes: int = 4"),
        (with_rest, r"\*\*rest: int: a file can't say this"),
        (in_seconds, "every_s is not in a unit used inside; write every_ms"),
        (two_with_one_key, "every_ms and every_w are both every in a file"),
        (with_a_key_that_is_taken, "max_waking: files use this key otherwise"),
        (with_an_unknown_type, "'Nowhere' is not defined; types of parameters must be known"),
        (lambda: "no function", "'no function' is not a function"),
    ],
)
def test_a_function_that_can_not_be_a_policy_is_refused(policy: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        fs.provisioning("faulty")(policy())
    assert provisioning.get("faulty") is None


def test_the_decorator_itself_is_told_what_is_wrong_with_it() -> None:
    with pytest.raises(TypeError, match="write a name"):
        fs.provisioning("")
    with pytest.raises(TypeError, match="leader: known here are age, ladder, lifetime, node_limit"):
        fs.provisioning("faulty", leader="every_ms")(registered("headroom").function)
    with pytest.raises(TypeError, match="node_limit: no parameter is called most"):
        fs.provisioning("faulty", node_limit="most")(registered("headroom").function)


def test_a_name_is_given_once() -> None:
    def policy(states: Any) -> Any:
        return states

    with pytest.raises(ValueError, match=r'"ladder" is registered already, by simulator\.policies'):
        fs.provisioning("ladder")(policy)
    fs.provisioning("once")(policy)
    with pytest.raises(ValueError, match=r"registered already.*use another name"):
        fs.provisioning("once")(policy)


def test_a_definition_of_a_notebook_can_be_made_again() -> None:
    def made() -> Any:
        def again(states: Any) -> Any:
            return states

        again.__module__ = "__main__"
        return again

    fs.provisioning("again")(made())
    second = made()
    fs.provisioning("again")(second)
    assert registered("again").function is second


def test_another_kind_has_names_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "own_policies"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "first.py").write_text("raise AssertionError('imported too early')")
    monkeypatch.syspath_prepend(str(tmp_path))
    kind = Kind("serving", forms=[Form("order", ("queue", "now_s"))], package="own_policies")

    (package / "first.py").write_text("found = True")
    assert kind.get("ladder") is None
    assert sys.modules["own_policies.first"].found

    @kind("ladder")
    def ladder(queue: Any, now_s: float, *, limit: int = 100) -> Any:
        return queue

    found = kind.get("ladder")
    assert found is not None
    assert found.form == "order"
    assert registered("ladder").form == "descent"


def installed(folder: Path, entry: str, code: str) -> None:
    """Install a package that names a module among its entry points."""
    (folder / "theirs.py").write_text(code)
    info = folder / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[fleetsim.provisioning]\n{entry} = theirs\n")


THEIRS = """
import simulator as fs

@fs.provisioning("theirs")
def theirs(env, cluster, *, nodes: int = 2):
    cluster.keep_awake(nodes)
    yield env.timeout(1)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("theirs", None)


def test_policies_of_other_packages_are_found_by_their_entry_points(folder: Path) -> None:
    installed(folder, "theirs", THEIRS)
    assert "theirs" in provisioning.names()
    assert "theirs" not in sys.modules
    assert registered("theirs").parameters[0].default == 2
    assert provisioning.get("nobody's") is None


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ("theirs", "import nothing_of_the_kind", "can't be loaded: ModuleNotFoundError"),
        ("their", THEIRS, 'theirs registers no provisioning called "their"'),
    ],
)
def test_a_package_that_does_not_hold_what_it_promises_is_named(
    folder: Path, entry: str, code: str, said: str
) -> None:
    installed(folder, entry, code)
    with pytest.raises(ValueError, match=said):
        provisioning.get(entry)


def test_what_ships_is_imported_when_a_name_is_looked_up_and_stays_light() -> None:
    code = (
        "import sys, simulator; from simulator.registry import provisioning;"
        "from simulator.scenario import schema;"
        "early = any(n.startswith('simulator.policies') for n in sys.modules);"
        "found = provisioning.get('headroom').name; schema();"
        "print(early, found, *sorted({'numpy', 'numba', 'pandas', 'simpy'} & set(sys.modules)))"
    )
    assert python(code) == "False headroom"
