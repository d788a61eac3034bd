"""Policies that users write: run on the engine, and told apart when they fail."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.engine import commanders
from simulator.policies import Descent
from simulator.registry import provisioning
from simulator.results import Results
from simulator.scenario import from_document
from simulator.scenario.toml_writer import toml_text
from tests.policy_runs import happened, policy_document, run_policy, told
from tests.unit.conftest import Shell

DOCS = Path(__file__).parents[2] / "docs" / "provisioning.md"
OFF = {"name": "off", "after": "5 min", "power": "10 W", "wake_time": "2 min"}
NAP = {"name": "nap", "after": "1 min", "power": "50 W"}
AT_MS = 3_600_000


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.names()  # those that ship are registered once
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


def commanding(command: Callable[[Any], Any], name: str = "mine", **roles: str) -> None:
    """Register a policy that gives one command after an hour."""

    @fs.provisioning(name, **roles)
    def mine(env: Any, cluster: Any, *, most: int = 4) -> Iterator[Any]:
        del most
        yield env.timeout(AT_MS)
        command(cluster)


def waiting(event: Callable[[Any], Any]) -> None:
    """Register a policy that waits for something, for ever."""

    @fs.provisioning("mine")
    def mine(env: Any, cluster: Any) -> Iterator[Any]:
        while True:
            yield event(env)


def results_of(folder: Path, idle: Any = "mine", **keys: Any) -> Results:
    keys = {"states": [NAP, OFF], **keys}
    return run_policy(folder, idle, [(0, 60, 8, 1.0)], **keys).results


# -- as the manual has it -----------------------------------------------------------------------


def test_the_policy_of_the_manual_runs_and_keeps_the_recent_peak_awake(tmp_path: Path) -> None:
    controller, ladder = re.findall(r"```python\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    exec(compile(controller, "provisioning.md", "exec"), {})
    exec(compile(ladder, "provisioning.md", "exec"), {})
    states = [{"name": "off", "after": "0 s", "power": "10 W", "wake_time": "1 ms"}]
    # 16 GPUs at the looks of 10 and 20 min; the peak of six looks is kept until that of 80 min.
    idle = {"policy": "recent-peak", "looks": 6, "every": "10 min"}
    results = run_policy(tmp_path, idle, [(60, 1500, 16, 1.0)], states=states).results
    awake = results.hourly["nodes_awake_mean"]
    # ceil(1.1 x 2) = 3 from 10 min on, two before that while the job runs, none in the first 60 s.
    assert awake[0] == pytest.approx((9 * 2 + 50 * 3) / 60, abs=1e-4)
    assert awake[1] == pytest.approx(20 * 3 / 60, abs=1e-4)
    assert not awake[2:].any()
    shallow = results_of(tmp_path, "shallow")
    assert (shallow.nodes["residency_nap_s"] > 0).all()
    assert "residency_off_s" not in shallow.nodes


def test_two_runs_of_one_scenario_are_one(tmp_path: Path) -> None:
    scenario = fs.load("hello").replace({"horizon": "6 d", "clusters.west.idle": "ladder"})
    one, two = fs.run(scenario), fs.run(scenario)
    assert one.summary == two.summary
    for name in ("jobs", "hourly", "nodes"):
        assert getattr(one, name).equals(getattr(two, name))


def test_a_policy_may_start_processes_and_wait_for_them(tmp_path: Path) -> None:
    @fs.provisioning("mine")
    def mine(env: Any, cluster: Any) -> Iterator[Any]:
        def later() -> Iterator[Any]:
            yield env.timeout(AT_MS)
            return "after"

        said = yield env.process(later())
        cluster.note(said, env.now, "ms")
        done = env.event()
        done.succeed("more")
        cluster.note((yield done), cluster.now_ms, "ms")

    assert told(results_of(tmp_path)) == {"after": ("3.6e+06", "ms"), "more": ("3.6e+06", "ms")}


# -- nonsense -----------------------------------------------------------------------------------

NO_NUMBER = "is no number of nodes; give a whole number of at least 0"
NO_NODES = "are no nodes of c; they are numbered 0 to 3"
FIXED = "the nodes of c are fixed; a policy that adds or retires nodes says which"

REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "negative": (lambda c: c.keep_awake(-1), f"ValueError: -1 {NO_NUMBER}"),
    "half": (lambda c: c.keep_free(1.5), f"ValueError: 1.5 {NO_NUMBER}"),
    "nan": (lambda c: c.keep_free(float("nan")), f"ValueError: nan {NO_NUMBER}"),
    "infinite": (lambda c: c.keep_awake(float("inf")), f"ValueError: inf {NO_NUMBER}"),
    "text": (lambda c: c.keep_awake("3"), f"ValueError: '3' {NO_NUMBER}"),
    "none": (lambda c: c.keep_awake(None), f"ValueError: None {NO_NUMBER}"),
    "beyond": (lambda c: c.close([4]), rf"ValueError: \[4\] {NO_NODES}"),
    "below": (lambda c: c.open([-1]), rf"ValueError: \[-1\] {NO_NODES}"),
    "flags": (
        lambda c: c.close(c.held_by_node() >= 0),
        r"are no numbers of nodes; give whole ones; of an array of flags give \.nonzero\(\)\[0\]",
    ),
    "halves": (lambda c: c.close([0.5]), r"\[0\.5\] are no numbers of nodes; give whole ones"),
    "add": (lambda c: c.add(1), FIXED),
    "retire": (lambda c: c.retire([0]), FIXED),
    "no figure": (lambda c: c.note("a", "b", "1"), "could not convert string to float: 'b'"),
    "no unit": (lambda c: c.note("a", 1.0, None), "None is no text; write note"),
    "fault": (lambda c: 1 // 0, "ZeroDivisionError: integer division or modulo by zero"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_command_that_makes_no_sense_names_policy_and_cluster(tmp_path: Path, case: str) -> None:
    command, said = REFUSED[case]
    commanding(command)
    with pytest.raises(
        fs.PolicyError, match=rf"^policy mine of cluster c failed after 1 h: .*{said}"
    ):
        results_of(tmp_path)


NO_TIME = r"is no time to wait; give whole milliseconds of at least 0"

UNWAITED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "half": (lambda env: env.timeout(0.5), rf"env\.timeout\(0\.5\) {NO_TIME}"),
    "past": (lambda env: env.timeout(-5), rf"env\.timeout\(-5\) {NO_TIME}"),
    "text": (lambda env: env.timeout("5"), rf"env\.timeout\('5'\) {NO_TIME}"),
    "endless": (lambda env: env.timeout(float("inf")), rf"env\.timeout\(inf\) {NO_TIME}"),
    "number": (lambda env: 5, r"yield 5 is nothing to wait for; yield env\.timeout\(ms\)"),
    "nothing": (lambda env: None, "yield None is nothing to wait for"),
    "no time": (lambda env: env.timeout(0), "acted 100,000 times at one instant and stopped"),
    "no process": (lambda env: env.process(5), "TypeError: 'int' object is not an iterator"),
}


@pytest.mark.parametrize("case", UNWAITED)
def test_waiting_for_what_never_comes_names_policy_and_cluster(tmp_path: Path, case: str) -> None:
    event, said = UNWAITED[case]
    waiting(event)
    with pytest.raises(
        fs.PolicyError, match=f"^policy mine of cluster c failed at the start: .*{said}"
    ):
        results_of(tmp_path)


def test_times_may_be_any_whole_number(tmp_path: Path) -> None:
    for delay in (600_000, 600_000.0, np.int64(600_000), np.float64(600_000), 10**30):
        waiting(lambda env, delay=delay: env.timeout(delay))
        assert results_of(tmp_path).summary["jobs_finished"] == 1
        provisioning._plugins.pop("mine")


def test_a_fault_in_a_process_beside_is_told_once(tmp_path: Path) -> None:
    @fs.provisioning("mine")
    def mine(env: Any, cluster: Any) -> Iterator[Any]:
        def inner() -> Iterator[Any]:
            yield env.timeout(5)
            raise KeyError("inner")

        yield env.process(inner())

    with pytest.raises(fs.PolicyError) as refused:
        results_of(tmp_path)
    assert str(refused.value) == "policy mine of cluster c failed after 0.005 s: KeyError: 'inner'"
    causes = [error := refused.value]
    while (error := error.__cause__) is not None:
        causes.append(error)
    assert isinstance(causes[-1], KeyError)


def test_a_policy_may_handle_what_goes_wrong(tmp_path: Path) -> None:
    @fs.provisioning("mine")
    def mine(env: Any, cluster: Any) -> Iterator[Any]:
        try:
            cluster.keep_awake(-1)
        except ValueError:
            cluster.note("caught", 1, "1")
        try:
            yield 5
        except TypeError:
            cluster.note("caught", 2, "1")
        yield env.timeout(1)

    assert told(results_of(tmp_path)) == {"caught": ("2", "1")}


def test_more_nodes_than_there_are_are_all_of_them(tmp_path: Path) -> None:
    commanding(lambda cluster: cluster.keep_awake(10**30))
    results = results_of(tmp_path, states=[OFF])
    # Asleep from the sixth minute of the run on, and woken after an hour for good.
    assert list(results.hourly["nodes_awake_mean"][2:]) == [4.0] * 8
    commanding(lambda cluster: cluster.add(10**30), "more", node_limit="most")
    grown = results_of(tmp_path, {"policy": "more", "most": 7})
    assert list(grown.hourly["nodes_owned_mean"]) == [4.0] + [7.0] * 9


def test_closing_every_node_stops_the_cluster(tmp_path: Path) -> None:
    commanding(lambda cluster: cluster.close(np.arange(4)))
    rows = [(0, 4000, 8, 1.0), (3700, 60, 8, 1.0)]
    for states in ([], [OFF]):  # node 0 is at work when it is closed; the others may be asleep
        jobs = run_policy(tmp_path, "mine", rows, states=states).results.jobs
        assert list(jobs["state"]) == ["finished", "queued"]


# -- ladders ------------------------------------------------------------------------------------

DESCENTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no descent": (lambda states: states[:1], r"it returned \(IdleState.* return simulator\.pol"),
    "nothing": (lambda states: None, "it returned None; return simulator"),
    "upside down": (lambda states: Descent(states[::-1]), "nap must come later than off and draw"),
    "no states": (lambda states: Descent((5,)), "5 is no idle state; take some of those"),
    "fault": (lambda states: 1 // 0, "ZeroDivisionError"),
}


@pytest.mark.parametrize("case", DESCENTS)
def test_a_ladder_that_is_none_names_its_policy(tmp_path: Path, case: str) -> None:
    function, said = DESCENTS[case]

    @fs.provisioning("mine")
    def mine(states: Any) -> Any:
        return function(states)

    with pytest.raises(fs.PolicyError, match=f"^policy mine failed: .*{said}"):
        results_of(tmp_path)


def test_a_ladder_may_be_a_list(tmp_path: Path) -> None:
    @fs.provisioning("mine")
    def mine(states: Any) -> Any:
        return Descent([state for state in states if state.name == "off"])

    assert set(results_of(tmp_path).nodes["residency_off_s"][1:]) == {36_000.0 - 300}


# -- on the command line ------------------------------------------------------------------------


def scenario_file(folder: Path) -> Path:
    document = policy_document(folder, "mine", [(0, 60, 8, 1.0)], states=[OFF])
    path = folder / "mine.toml"
    path.write_text(toml_text(document))
    return path


def test_the_command_line_says_one_line_and_writes_nothing(tmp_path: Path, shell: Shell) -> None:
    commanding(lambda cluster: cluster.keep_awake(-1))
    path = scenario_file(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = shell("run", path.name, "--no-progress")
    assert (code, out) == (1, "")
    assert err == (
        "error: policy mine of cluster c failed after 1 h: ValueError: -1 is no number of nodes; "
        "give a whole number of at least 0 (set FLEETSIM_DEBUG=1 to see where)\n"
    )
    assert sorted(tmp_path.rglob("*")) == before
    code, out, err = shell("run", path.name, "--no-progress", "--json")
    assert '"error": "policy"' in out


def test_the_traceback_is_shown_when_asked_for(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    commanding(lambda cluster: 1 // 0)
    path = scenario_file(tmp_path)
    monkeypatch.setenv("FLEETSIM_DEBUG", "1")
    code, _, err = shell("run", path.name, "--no-progress")
    assert code == 1
    assert "ZeroDivisionError" in err
    assert "test_own_policies.py" in err  # where it happened


def test_a_policy_nobody_knows_is_refused_with_those_known(tmp_path: Path, shell: Shell) -> None:
    commanding(lambda cluster: None)
    path = scenario_file(tmp_path)
    provisioning._plugins.pop("mine")
    code, out, err = shell("run", path.name)
    assert (code, out) == (2, "")
    assert err.startswith("mine.toml: 1 problem\n  clusters.c.idle")
    assert "always-on" in err


def test_controllers_of_a_scenario_are_those_of_its_policies(tmp_path: Path) -> None:
    document = policy_document(tmp_path, "ladder", [(0, 60, 8, 1.0)], states=[OFF])
    for name, idle in (("d", {"policy": "peak", "nodes": 1}), ("e", "always-on")):
        document["clusters"][name] = {"site": "s", "node": "n", "count": 2, "idle": idle}
    scenario = from_document(document)
    assert len(commanders(scenario)) == 1
    assert set(happened(scenario).node.tolist()) == {0, 1, 2, 3, 5}  # of d one is kept, e has none
