"""`clusters` of a workload as a dispatch policy: read, checked, written back, and resolved."""

import pickle
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import simulator as fs
from simulator.errors import InputError, PolicyError
from simulator.inputs import open_inputs
from simulator.plans.plan import plan_of
from simulator.policies import DispatchRule, QueueRule, dispatch_of
from simulator.registry import ParameterError, dispatch
from simulator.scenario import Scenario, from_document, load, schema
from simulator.scenario.dispatch import Dispatch
from simulator.scenario.toml_writer import toml_text
from tests.unit.scenario_documents import SMALL, changed, problems

RULES = {
    "preference": DispatchRule("preference"),
    "least-wait": DispatchRule("wait"),
    "least-energy": DispatchRule("energy"),
}
"""What each policy that ships stands for."""

BOTH = ["c", "d"]


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch.names()
    monkeypatch.setattr(dispatch, "_plugins", dict(dispatch._plugins))


def document(clusters: Any, queue: Any = "fifo") -> dict[str, Any]:
    """Return the small document with a second cluster, whose queue may be another."""
    said = changed("workloads.w.clusters", clusters)
    said["clusters"]["d"] = SMALL["clusters"]["c"] | {"queue": queue}
    return said


def scenario(clusters: Any, queue: Any = "fifo") -> Scenario:
    return from_document(document(clusters, queue))


def table(policy: str, **parameters: Any) -> dict[str, Any]:
    return {"policy": policy, "among": BOTH, **parameters}


# -- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", RULES)
def test_a_policy_stands_for_its_rule(policy: str) -> None:
    assert set(RULES) == set(dispatch.names())
    made = scenario(table(policy))
    chosen = made.workloads["w"].clusters
    assert (chosen.policy, chosen.among, list(chosen)) == (policy, ("c", "d"), BOTH)
    found = dispatch_of(made)["w"]
    assert (found.policy, found.rule, found.choice) == (policy, RULES[policy], None)
    assert found.binds == chosen.binds == (policy != "preference")


def test_a_list_is_in_order_of_preference() -> None:
    made = scenario(BOTH).workloads["w"].clusters
    assert made == Dispatch("preference", {}, ("c", "d"))
    assert scenario(table("preference")).workloads["w"].clusters == made


@pytest.mark.parametrize(
    ("clusters", "below", "said"),
    [
        ("c", "", '"c" is not a list; write ["c"]'),
        ([], "", '[] is not a list of clusters; write e.g. ["train"]'),
        (["c", "c"], "[1]", '"c" stands in the list twice; take one out'),
        ({"among": BOTH}, "", "policy is missing; write e.g. clusters = { policy = "),
        (table("least-wat"), ".policy", '"least-wat" is not known here; did you mean "least-wait"'),
        ({"policy": "least-wait"}, ".among", 'missing; e.g. among = ["a", "b"]'),
        ({"policy": "least-wait", "amon": BOTH}, ".amon", "unknown key; did you mean 'among'?"),
        ({"policy": "least-wait", "among": "c"}, ".among", '"c" is not a list; write ["c"]'),
        ({"policy": "least-wait", "among": [1]}, ".among[0]", "1 is not a name; write it in quot"),
        (table("least-wait", depth=3), ".depth", "unknown key; least-wait has no settings"),
        ({"policy": "least-wait", "among": ["x"]}, ".among[0]", 'no cluster is called "x"; known'),
        (["x", "c"], "[0]", 'no cluster is called "x"; known are c, d'),
    ],
)
def test_what_is_wrong_is_told_with_its_path(clusters: Any, below: str, said: str) -> None:
    found = problems(document(clusters))
    assert list(found) == [f"workloads.w.clusters{below}"]
    assert found[f"workloads.w.clusters{below}"].startswith(said)


def test_all_problems_are_told_at_once() -> None:
    found = problems(document({"policy": "least-wait", "among": ["x", "c", "c"], "of": 1}))
    assert set(found) == {
        "workloads.w.clusters.among[0]",
        "workloads.w.clusters.among[2]",
        "workloads.w.clusters.of",
    }


def test_the_schema_knows_every_policy() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    for clusters in (BOTH, *(table(policy) for policy in RULES)):
        assert validator.is_valid(document(clusters))
    for clusters in ("c", [], {"policy": "least-wait"}, table("least-wait", depth=1), table("no")):
        assert not validator.is_valid(document(clusters))


# -- queues -------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["least-wait", "least-energy"])
def test_clusters_to_which_jobs_are_sent_may_have_unlike_queues(policy: str) -> None:
    made = scenario(table(policy), "easy-backfill")
    assert open_inputs(made).jobs.dispatches == (True,)


def test_clusters_of_a_preference_must_be_served_alike() -> None:
    for clusters in (BOTH, table("preference")):
        (text,) = problems(document(clusters, "easy-backfill")).values()
        assert text.startswith("c, d share jobs (workloads: w), but not their queue")
    said = document(table("least-wait"), "easy-backfill")
    said["workloads"]["v"] = {**said["workloads"]["w"], "clusters": BOTH}
    (text,) = problems(said).values()
    assert text.startswith("c, d share jobs (workloads: v), but not their queue")


# -- policies of one's own ------------------------------------------------------------------------


def test_a_function_of_parameters_gives_a_rule() -> None:
    @fs.dispatch("mine")
    def mine(*, quick: bool = True) -> DispatchRule:
        return DispatchRule("wait" if quick else "energy")

    assert dispatch_of(scenario(table("mine")))["w"].rule == DispatchRule("wait")
    assert dispatch_of(scenario(table("mine", quick=False)))["w"].rule == DispatchRule("energy")
    made = scenario(table("mine"))
    assert made.document["workloads"]["w"]["clusters"] == {**table("mine"), "quick": True}


def test_a_function_of_job_clusters_and_time_is_asked() -> None:
    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float, *, patience_ms: int = 1000) -> Any:
        return (clusters[0], patience_ms)

    found = dispatch_of(scenario(table("mine", patience="2 h")))["w"]
    assert (found.rule, found.binds) == (None, True)
    assert found.choice is not None
    assert found.choice(None, ["c"], 0.0) == ("c", 7_200_000)


def test_other_functions_are_refused() -> None:
    with pytest.raises(TypeError, match=r"write a plain function of \(\*, parameters\) or a plain"):
        fs.dispatch("mine")(lambda job: None)
    with pytest.raises(TypeError, match="files use this key otherwise"):

        @fs.dispatch("mine")
        def mine(*, among: int = 1) -> DispatchRule:
            return DispatchRule()


def test_what_a_policy_refuses_is_told_with_its_key() -> None:
    @fs.dispatch("mine")
    def mine(*, least: int = 1) -> DispatchRule:
        if least > 5:
            raise ParameterError("least", f"{least} is too large; write at most 5")
        return DispatchRule("wait")

    assert problems(document(table("mine", least=9))) == {
        "workloads.w.clusters.least": "9 is too large; write at most 5"
    }


def test_a_policy_that_returns_no_rule_fails() -> None:
    @fs.dispatch("mine")
    def mine() -> Any:
        return QueueRule()

    with pytest.raises(PolicyError, match=r"policy mine failed: TypeError: it returned QueueRule"):
        scenario(table("mine"))
    with pytest.raises(ValueError, match='by "speed" is not known; write one of preference, wait'):
        DispatchRule("speed")  # type: ignore[arg-type]


# -- the document -------------------------------------------------------------------------------


@pytest.mark.parametrize("clusters", [BOTH, *(table(policy) for policy in RULES)])
def test_the_resolved_scenario_reads_as_the_same(clusters: Any, tmp_path: Path) -> None:
    made = scenario(clusters)
    path = tmp_path / "scenario.toml"
    path.write_text(made.to_toml())
    again = load(path)
    assert again.canonical() == made.canonical()
    assert again.to_toml() == made.to_toml()
    assert again.workloads == made.workloads
    assert pickle.loads(pickle.dumps(made)).workloads == made.workloads


def test_a_list_and_the_policy_that_it_means_are_one_scenario() -> None:
    plain = scenario(BOTH)
    assert scenario(table("preference")).canonical() == plain.canonical()
    assert '"clusters":["c","d"]' in plain.canonical()
    texts = {scenario(clusters).canonical() for clusters in (BOTH, BOTH[::-1], ["c"])}
    texts |= {scenario(table(policy)).canonical() for policy in RULES}
    assert len(texts) == 5


def test_the_policy_is_replaced_and_inherited(tmp_path: Path) -> None:
    made = scenario(table("least-wait"))
    other = made.replace({"workloads.w.clusters.policy": "least-energy"})
    assert other.workloads["w"].clusters == Dispatch("least-energy", {}, ("c", "d"))
    assert made.replace({"workloads.w.clusters": ["d"]}).workloads["w"].clusters.among == ("d",)
    (tmp_path / "base.toml").write_text(toml_text(document(BOTH)))
    child = tmp_path / "my.toml"
    child.write_text(
        'schema = 1\nextends = "base.toml"\n[workloads.w]\n'
        'clusters = { policy = "least-wait", among = ["d", "c"] }\n'
    )
    assert load(child).workloads["w"].clusters == Dispatch("least-wait", {}, ("d", "c"))


def test_the_policy_is_an_axis_of_a_sweep() -> None:
    values = ["preference", "least-wait", "least-energy"]
    plan = plan_of(scenario(table("least-wait")), {"workloads.w.clusters.policy": values})
    assert len(plan) == 3
    with pytest.raises(InputError, match="least-wat"):
        plan_of(scenario(table("least-wait")), {"workloads.w.clusters.policy": ["least-wat"]})


def test_the_code_of_a_policy_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        return clusters[0]

    made = scenario(table("mine"))
    key = open_inputs(made).key
    monkeypatch.setattr(dispatch, "sources", lambda names=None: {"mine": "other"})
    assert open_inputs(made).key != key
