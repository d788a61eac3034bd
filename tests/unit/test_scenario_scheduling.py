"""`queue` of a cluster and `quota` of a workload: read, checked, written back, and resolved."""

import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import simulator as fs
from simulator.assumptions import assumptions_of
from simulator.errors import InputError, PolicyError
from simulator.inputs import open_inputs
from simulator.policies import QueueRule, scheduling_of
from simulator.registry import ParameterError, scheduling
from simulator.scenario import Scenario, from_document, load, schema
from simulator.scenario.clusters import Cluster
from simulator.scenario.parameters import written_defaults
from simulator.scenario.scheduling import Scheduling
from simulator.scenario.toml_writer import toml_text
from simulator.units import MS_PER_D, MS_PER_H
from simulator.workload.quotas import over_quota, quotas_of
from tests.builders import scenario_document, write_jobs
from tests.unit.scenario_documents import SMALL, changed, problems, with_value

POLICIES = scheduling.names()
DAY_MS, WEEK_MS = MS_PER_D, 7 * MS_PER_D
RULES = {
    "fifo": QueueRule("fifo", backfill="none"),
    "shortest-first": QueueRule("shortest", by="time", backfill="none", depth=1000),
    "priority": QueueRule("ageing", ageing_ms=DAY_MS, backfill="none", depth=1000),
    "deadline-first": QueueRule("deadline", backfill="none", depth=1000),
    "fair-share": QueueRule("fair-share", of="user", half_life_ms=WEEK_MS, backfill="none"),
    "easy-backfill": QueueRule("fifo", backfill="easy", depth=1000),
    "conservative-backfill": QueueRule("fifo", backfill="conservative", depth=100),
}
"""What each policy that ships stands for, by its name alone."""

JOBS = """job_id,submit_s,duration_s,gpus,cluster,user
a,0,60,2,c,ann
b,0,60,8,d,
c,9,60,4,c,bob
"""
UNFAIR = (
    "clusters.c.queue: no job here names a user, so fair-share counts all as one (clusters: c); "
    'give jobs a column user, or write of = "workload"'
)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "_plugins", dict(scheduling._plugins))


def with_queue(queue: Any) -> Scenario:
    return with_value("clusters.c.queue", queue)


def rule_of(queue: Any) -> QueueRule:
    (rule,) = rules_of(with_queue(queue))
    assert rule is not None
    return rule


def rules_of(scenario: Scenario) -> list[QueueRule | None]:
    return [each.rule for each in scheduling_of(scenario).values()]


def two_clusters(one: Any, other: Any, *workloads: list[str]) -> dict[str, Any]:
    """Return the small document with clusters c and d, and a workload for each list of them."""
    document = changed("clusters.c.queue", one)
    document["clusters"]["d"] = SMALL["clusters"]["c"] | {"queue": other}
    drawn = document["workloads"].pop("w")
    for index, clusters in enumerate(workloads):
        document["workloads"][f"w{index}"] = drawn | {"clusters": clusters}
    return document


def replaying(folder: Path, document: dict[str, Any], text: str = JOBS, **keys: Any) -> Scenario:
    """Return the scenario with one workload that replays jobs."""
    (folder / "jobs.csv").write_text(text)
    names = list(document["clusters"])
    document["workloads"] = {"w": {"clusters": names, "jobs": {"file": "jobs.csv"}, **keys}}
    return from_document(document, folder=folder)


# -- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_by_its_name_has_its_defaults(policy: str) -> None:
    assert set(RULES) == set(POLICIES)
    assert rule_of(policy) == rule_of({"policy": policy}) == RULES[policy]


@pytest.mark.parametrize(
    ("queue", "rule"),
    [
        ({"policy": "easy-backfill", "depth": 500}, QueueRule(backfill="easy", depth=500)),
        (
            {"policy": "shortest-first", "by": "area", "backfill": "easy", "depth": 1},
            QueueRule("shortest", by="area", backfill="easy", depth=1),
        ),
        (
            {"policy": "priority", "ageing": "90 min", "backfill": "conservative"},
            QueueRule("ageing", ageing_ms=5_400_000, backfill="conservative"),
        ),
        (
            {"policy": "deadline-first", "backfill": "conservative", "depth": 9},
            QueueRule("deadline", backfill="conservative", depth=9),
        ),
        (
            {"policy": "fair-share", "of": "workload", "half_life": "2 d"},
            QueueRule("fair-share", of="workload", half_life_ms=2 * DAY_MS),
        ),
    ],
)
def test_parameters_reach_the_rule(queue: dict[str, Any], rule: QueueRule) -> None:
    assert rule_of(queue) == rule


def test_a_cluster_is_first_come_first_served_unless_said() -> None:
    assert from_document(SMALL).clusters["c"].queue == Scheduling("fifo") == Scheduling()
    assert Cluster(site="s", node="n", count=2).queue == Scheduling()
    table = {"policy": "priority", "ageing_ms": 1000}
    made = Cluster(site="s", node="n", count=2, queue=table)
    assert made.queue.rule() == QueueRule("ageing", ageing_ms=1000)


@pytest.mark.parametrize(
    ("queue", "below", "said"),
    [
        ("shortest-frist", "", 'did you mean "shortest-first"? known are conservative-backfill'),
        ("lottery", "", "not known here; write one of conservative-backfill, deadline-first"),
        (3, "", "3 is not known here"),
        ({"policy": "lottery"}, ".policy", "not known here; write one of"),
        ({"depth": 3}, "", 'policy is missing; write e.g. queue = { policy = "easy-backfill"'),
        ({"policy": "fifo", "depth": 3}, ".depth", "unknown key; fifo has no settings"),
        ({"policy": "easy-backfill", "dpeth": 3}, ".dpeth", "did you mean 'depth'?"),
        ({"policy": "easy-backfill", "max_waking": 3}, ".max_waking", "known here are depth"),
        ({"policy": "easy-backfill", "depth": 0}, ".depth", "from 1 to 2147483647"),
        ({"policy": "conservative-backfill", "depth": -1}, ".depth", "from 1 to"),
        ({"policy": "easy-backfill", "depth": "all"}, ".depth", "is not a whole number"),
        ({"policy": "easy-backfill", "depth": 2.0}, ".depth", "write it without a point: 2"),
        ({"policy": "priority", "ageing": "0 s"}, ".ageing", "write a time above 0"),
        ({"policy": "priority", "ageing": "0.4 ms"}, ".ageing", "write a time above 0"),
        ({"policy": "priority", "ageing": 3}, ".ageing", "3 is not a time; write it with a unit"),
        ({"policy": "fair-share", "half_life": "-1 d"}, ".half_life", "write a time above 0"),
        ({"policy": "fair-share", "of": "team"}, ".of", "write one of user, workload"),
        ({"policy": "shortest-first", "by": "size"}, ".by", "write one of time, area"),
        ({"policy": "deadline-first", "backfill": "esay"}, ".backfill", 'did you mean "easy"?'),
    ],
)
def test_what_a_queue_may_not_say_is_refused_at_its_path(queue: Any, below: str, said: str) -> None:
    found = problems(changed("clusters.c.queue", queue))
    assert list(found) == [f"clusters.c.queue{below}"]
    assert said in found[f"clusters.c.queue{below}"]


def test_all_problems_come_together() -> None:
    queue = {"policy": "shortest-first", "by": "size", "depth": 0, "dpth": 1}
    document = changed("clusters.c.queue", queue)
    document["clusters"]["c"]["count"] = 0
    document["workloads"]["w"]["quota"] = 0
    assert list(problems(document)) == [
        "clusters.c.count",
        "clusters.c.queue.by",
        "clusters.c.queue.depth",
        "clusters.c.queue.dpth",
        "workloads.w.quota",
    ]


# -- the rule -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"order": "random"}, 'order "random" is not known; write one of fifo, shortest'),
        ({"by": "size"}, "write one of time, area"),
        ({"of": "team"}, "write one of user, workload"),
        ({"backfill": "eager"}, "write one of none, easy, conservative"),
        ({"ageing_ms": 0}, "ageing_ms 0 is too small"),
        ({"half_life_ms": 0}, "half_life_ms 0 is too small"),
        ({"depth": 0}, "depth 0 is too small; write at least 1"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        QueueRule(**wrong)


def test_requested_times_matter_to_backfills_and_to_the_shortest() -> None:
    needing = {policy for policy in POLICIES if rule_of(policy).needs_requested}
    assert needing == {"shortest-first", "easy-backfill", "conservative-backfill"}


# -- policies of one's own ----------------------------------------------------------------------


def test_a_function_of_parameters_alone_gives_a_rule() -> None:
    @fs.scheduling("quick")
    def quick(*, pause_ms: int = MS_PER_H) -> QueueRule:
        if pause_ms > MS_PER_D:
            raise ParameterError("pause", "longer than a day; write less")
        return QueueRule("ageing", ageing_ms=pause_ms)

    assert rule_of({"policy": "quick", "pause": "2 h"}) == QueueRule("ageing", ageing_ms=7_200_000)
    assert problems(changed("clusters.c.queue", {"policy": "quick", "pause": "2 d"})) == {
        "clusters.c.queue.pause": "longer than a day; write less"
    }


def test_rules_between_parameters_are_asked() -> None:
    def rules(*, low: int, high: int) -> Iterator[tuple[str, str]]:
        if low > high:
            yield "low", f"low ({low}) must be at most high ({high})"

    @fs.scheduling("between", rules=rules)
    def between(*, low: int = 1, high: int = 2) -> QueueRule:
        return QueueRule(depth=low + high)

    assert rule_of("between").depth == 3
    assert problems(changed("clusters.c.queue", {"policy": "between", "low": 3})) == {
        "clusters.c.queue.low": "low (3) must be at most high (2)"
    }


def test_a_plug_in_in_plain_python_is_carried_with_its_parameters() -> None:
    @fs.scheduling("asked")
    def asked(queue: Any, cluster: Any, now_s: float, *, limit: int = 100) -> Any:
        return queue[:limit]

    scenario = with_queue({"policy": "asked", "limit": 7})
    found = scheduling_of(scenario)["c"]
    assert (found.policy, found.rule) == ("asked", None)
    assert isinstance(found.choice, partial)
    assert (found.choice.func, found.choice.keywords) == (asked, {"limit": 7})


@pytest.mark.parametrize("made", [3, None])
def test_a_policy_that_gives_no_rule_fails_by_its_name(made: Any) -> None:
    @fs.scheduling("odd")
    def odd() -> Any:
        return made

    with pytest.raises(PolicyError, match=f"policy odd failed: TypeError: it returned {made}"):
        with_queue("odd")


def test_other_functions_are_no_policy_of_queues() -> None:
    def of_states(states: Any) -> Any:
        return states

    with pytest.raises(TypeError, match=r"write a plain function of \(\*, parameters\) or a plain"):
        fs.scheduling("faulty")(of_states)
    assert scheduling.get("faulty") is None


def test_the_code_of_ones_own_policy_is_part_of_the_key() -> None:
    plain = open_inputs(from_document(SMALL)).key

    @fs.scheduling("own")
    def own() -> QueueRule:
        return QueueRule()

    one = open_inputs(with_queue("own")).key
    plugin = scheduling._plugins["own"]
    assert len(plugin.source) == 64
    object.__setattr__(plugin, "source", "0" * 64)
    assert len({plain, one, open_inputs(with_queue("own")).key}) == 3


# -- clusters that share jobs -------------------------------------------------------------------


def test_clusters_that_share_drawn_jobs_have_one_rule() -> None:
    assert problems(two_clusters("fifo", "easy-backfill", ["c", "d"], ["d", "c"], ["d"])) == {
        "clusters": (
            "c, d share jobs (workloads: w0, w1, w2), but not their queue (c: fifo; "
            "d: easy-backfill (depth = 1000)); write the same queue for each, or let no job use "
            "several"
        )
    }


def test_clusters_may_share_jobs_by_way_of_another() -> None:
    document = two_clusters("fifo", "priority", ["c", "e"], ["e", "d"])
    document["clusters"]["e"] = document["clusters"]["c"]
    (text,) = problems(document).values()
    assert "c, d, e share jobs (workloads: w0, w1)" in text
    assert 'd: priority (ageing = "1 d", backfill = "none", depth = 1000)' in text


@pytest.mark.parametrize(
    ("one", "other", "workloads"),
    [
        ("fifo", "easy-backfill", [["c"], ["d"]]),
        ("easy-backfill", {"policy": "easy-backfill", "depth": 1000}, [["c", "d"]]),
        ({"policy": "priority", "ageing": "24 h"}, "priority", [["c", "d"]]),
        ("priority", "fair-share", []),
    ],
)
def test_clusters_of_one_rule_or_without_common_jobs_are_no_problem(
    one: Any, other: Any, workloads: list[list[str]]
) -> None:
    scenario = from_document(two_clusters(one, other, *workloads))
    assert len(rules_of(scenario)) == 2
    assert None not in rules_of(scenario)


def test_a_cluster_with_problems_of_its_own_is_not_blamed_twice() -> None:
    document = two_clusters("fifo", {"policy": "easy-backfill", "depth": 0}, ["c", "d"])
    assert list(problems(document)) == ["clusters.d.queue.depth"]
    document["clusters"]["d"] |= {"queue": "priority", "count": 0}
    assert list(problems(document)) == ["clusters", "clusters.d.count"]


def test_the_column_cluster_tells_whether_jobs_of_a_file_are_shared(tmp_path: Path) -> None:
    scenario = replaying(tmp_path, two_clusters("fifo", "easy-backfill"))
    assert len(open_inputs(scenario).jobs) == 3
    freed = JOBS.replace(",d,", ",,")
    shared = replaying(tmp_path, two_clusters("fifo", "easy-backfill"), freed)
    with pytest.raises(InputError) as refused:
        open_inputs(shared)
    (issue,) = refused.value.issues
    assert issue.path == "clusters"
    assert issue.message.startswith("c, d share jobs (workloads: w), but not their queue (c: fifo;")


# -- users, requested times ---------------------------------------------------------------------


def test_a_share_of_users_that_no_job_names_is_warned_of(tmp_path: Path) -> None:
    assert open_inputs(with_queue("fair-share")).warnings == (UNFAIR,)
    assert open_inputs(with_queue({"policy": "fair-share", "of": "workload"})).warnings == ()
    fair = two_clusters("fair-share", "fair-share")
    for jobs, said in (
        (JOBS, [UNFAIR.replace("clusters.c", "clusters.d").replace("clusters: c", "clusters: d")]),
        (JOBS.replace(",d,", ",d,cyd"), []),
        (JOBS.replace(",d,", ",,cyd").replace("c,ann", "c,").replace("c,bob", "c,"), []),
    ):
        warnings = open_inputs(replaying(tmp_path, fair, jobs)).warnings
        assert [text for text in warnings if "fair-share" in text] == said


def assumed(scenario: Scenario) -> list[tuple[str, ...]]:
    """Return what a run assumes of requested times; the sites are no matter here."""
    bare = scenario.model_copy(update={"sites": {}})
    rows = assumptions_of(bare, open_inputs(scenario).jobs, (), ())
    return [row for row in rows if "requested" in row[1]]


def test_requested_times_that_are_the_durations_are_an_assumption(tmp_path: Path) -> None:
    said = ("requested time over duration", "1", "1", "no job says a requested time")
    assert assumed(with_queue("easy-backfill")) == [("c", *said)]
    assert assumed(with_queue("shortest-first")) == [("c", *said)]
    assert assumed(with_queue("priority")) == assumed(from_document(SMALL)) == []
    asked = "job_id,submit_s,duration_s,gpus,requested_s\na,0,60,2,90\n"
    assert assumed(replaying(tmp_path, changed("clusters.c.queue", "easy-backfill"), asked)) == []


# -- quotas -------------------------------------------------------------------------------------


def test_a_quota_is_a_whole_number_of_accelerators_or_none() -> None:
    assert quotas_of(from_document(SMALL)) == (0,)
    assert quotas_of(with_value("workloads.w.quota", 4)) == (4,)
    for value in (0, -1, 4.0, "4", True):
        assert list(problems(changed("workloads.w.quota", value))) == ["workloads.w.quota"]


def test_a_quota_below_a_size_that_is_drawn_is_refused() -> None:
    assert problems(changed("workloads.w.quota", 3)) == {
        "workloads.w.quota": (
            "jobs of 4 accelerators exceed the quota (3) and can never start; write at least 4, or "
            "take these sizes out"
        )
    }
    document = changed("workloads.w.gpus", {"choices": [16, 1, 8, 32], "weights": [1, 1, 1, 0]})
    document["workloads"]["w"]["quota"] = 4
    (text,) = problems(document).values()
    assert "jobs of 8, 16 accelerators exceed the quota (4)" in text
    document["workloads"]["w"]["quota"] = 16
    assert quotas_of(from_document(document)) == (16,)


def test_larger_jobs_of_a_file_are_marked_and_warned_of(tmp_path: Path) -> None:
    scenario = replaying(tmp_path, two_clusters("fifo", "fifo"), quota=4)
    opened = open_inputs(scenario)
    assert over_quota(opened.jobs, quotas_of(scenario)).tolist() == [False, True, False]
    assert [text for text in opened.warnings if "quota" in text] == [
        "workloads.w.quota: 1 of 3 jobs are larger than the quota (4) and never start"
    ]
    wide = replaying(tmp_path, two_clusters("fifo", "fifo"), quota=8)
    assert not over_quota(open_inputs(wide).jobs, quotas_of(wide)).any()
    assert not [text for text in open_inputs(wide).warnings if "quota" in text]


def test_each_workload_is_held_to_its_own_quota(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text(JOBS)
    document = two_clusters("fifo", "fifo")
    for name, quota in (("tight", {"quota": 2}), ("free", {})):
        replay = {"clusters": ["c", "d"], "jobs": {"file": "jobs.csv"}, **quota}
        document["workloads"][name] = replay
    scenario = from_document(document, folder=tmp_path)
    jobs = open_inputs(scenario).jobs
    assert quotas_of(scenario) == (2, 0)
    expected = (jobs.workload == 0) & (jobs.gpus > 2)
    assert np.array_equal(over_quota(jobs, quotas_of(scenario)), expected)
    assert int(expected.sum()) == 2


# -- the document -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "queue",
    [
        *POLICIES,
        {"policy": "fifo"},
        {"policy": "shortest-first", "by": "area", "backfill": "easy"},
        {"policy": "priority", "ageing": "90 min"},
        {"policy": "fair-share", "half_life": "36 h", "of": "workload", "depth": 5},
    ],
)
def test_the_resolved_scenario_reads_as_the_same(queue: Any, tmp_path: Path) -> None:
    document = changed("clusters.c.queue", queue)
    document["workloads"]["w"]["quota"] = 8
    scenario = from_document(document)
    path = tmp_path / "scenario.toml"
    path.write_text(scenario.to_toml())
    again = load(path)
    assert again.canonical() == scenario.canonical()
    assert again.to_toml() == scenario.to_toml()
    assert (again.clusters, again.workloads) == (scenario.clusters, scenario.workloads)
    assert pickle.loads(pickle.dumps(scenario)).clusters == scenario.clusters


def test_the_document_adds_the_defaults_of_a_table() -> None:
    scenario = with_queue({"policy": "priority", "depth": 5})
    assert scenario.document["clusters"]["c"]["queue"] == {
        "policy": "priority",
        "depth": 5,
        "ageing": "1 d",
        "backfill": "none",
    }
    assert scenario.origins["clusters.c.queue.ageing"] == "default"
    assert with_queue("priority").document["clusters"]["c"]["queue"] == "priority"


def test_a_scenario_without_these_features_keeps_its_text() -> None:
    plain = from_document(SMALL)
    assert '"queue":"fifo"' in plain.canonical()
    assert "quota" not in plain.canonical()
    assert "quota" not in plain.to_toml()
    assert with_queue({"policy": "fifo"}).canonical() == plain.canonical()


def test_scenarios_that_differ_in_a_queue_or_a_quota_differ() -> None:
    forms: list[Any] = [*POLICIES, {"policy": "easy-backfill", "depth": 9}]
    texts = {with_queue(queue).canonical() for queue in forms}
    texts |= {with_value("workloads.w.quota", quota).canonical() for quota in (None, 4, 8)}
    assert len(texts) == len(forms) + 2
    said = {"policy": "priority", "ageing": "24 h", "backfill": "none"}
    assert with_queue(said).canonical() == with_queue("priority").canonical()


def test_a_queue_is_replaced_as_a_whole_and_its_parameters_one_by_one() -> None:
    scenario = with_queue({"policy": "easy-backfill", "depth": 4})
    assert scenario.replace({"clusters.c.queue.depth": 7}).clusters["c"].queue.parameters == {
        "depth": 7
    }
    assert scenario.replace({"clusters.c.queue": "fifo"}).clusters["c"].queue == Scheduling()
    assert rules_of(scenario.with_seed(5)) == rules_of(scenario)


def test_a_child_changes_a_parameter_or_the_policy(tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text(toml_text(changed("clusters.c.queue", {"policy": "priority", "depth": 4})))

    def child(queue: str) -> QueueRule:
        path = tmp_path / "my.toml"
        path.write_text(f'schema = 1\nextends = "base.toml"\n[clusters.c]\nqueue = {queue}\n')
        (rule,) = rules_of(load(path))
        assert rule is not None
        return rule

    changed_ageing = QueueRule("ageing", ageing_ms=MS_PER_H, depth=4)
    assert child('{ ageing = "1 h" }') == changed_ageing
    assert child('{ policy = "easy-backfill" }') == QueueRule(backfill="easy", depth=1000)
    assert child('"fifo"') == QueueRule()


# -- schema -------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_the_schema_knows_each_policy_and_its_parameters(policy: str) -> None:
    plugin = scheduling.get(policy)
    assert plugin is not None
    clusters = schema()["properties"]["clusters"]["additionalProperties"]
    queue = clusters["properties"]["queue"]
    names, *tables = queue["anyOf"]
    assert queue["default"] == "fifo"
    assert policy in names["enum"]
    (table,) = [form for form in tables if form["properties"]["policy"] == {"const": policy}]
    assert list(table["properties"]) == ["policy", *(each.key for each in plugin.parameters)]
    assert table["description"]
    assert all(table["properties"][each.key]["description"] for each in plugin.parameters)
    defaults = written_defaults(plugin)
    assert {key: table["properties"][key]["default"] for key in defaults} == defaults


@pytest.mark.parametrize(
    ("queue", "fits"),
    [
        ("fifo", True),
        ("conservative-backfill", True),
        ("lifo", False),
        ({"policy": "fifo"}, True),
        ({"policy": "fifo", "depth": 3}, False),
        ({"policy": "easy-backfill", "depth": 500}, True),
        ({"policy": "easy-backfill", "depth": 0}, False),
        ({"policy": "priority", "ageing": "1 h", "backfill": "easy"}, True),
        ({"policy": "priority", "ageing": 3}, False),
        ({"policy": "fair-share", "of": "team"}, False),
        ({"depth": 3}, False),
    ],
)
def test_an_editor_tells_right_from_wrong(queue: Any, fits: bool) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert (not list(validator.iter_errors(changed("clusters.c.queue", queue)))) == fits


def test_an_editor_knows_quotas() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert not list(validator.iter_errors(changed("workloads.w.quota", 8)))
    assert list(validator.iter_errors(changed("workloads.w.quota", 0)))


# -- the engine's door --------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_every_queue_runs(policy: str) -> None:
    summary = fs.run(with_queue(policy)).summary
    assert summary["jobs_started"] > 0
    assert summary["jobs_started"] + summary["jobs_queued"] == summary["jobs_submitted"]


def test_jobs_larger_than_a_quota_are_unschedulable(tmp_path: Path) -> None:
    rows = [(0, 60, 4, 1), (0, 60, 8, 1), (0, 60, 2, 1), (30, 60, 2, 1)]
    document = scenario_document(write_jobs(tmp_path / "jobs.csv", rows))
    (workload,) = document["workloads"].values()
    workload["quota"] = 4
    jobs = fs.run(from_document(document)).jobs
    assert list(jobs["state"]) == ["finished", "unschedulable", "finished", "finished"]
    assert list(jobs["start_s"].fillna(-1)) == [0.0, -1.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        ("deadline-first", "clusters.c.queue: no job here has a deadline"),
        ("priority", "clusters.c.queue: all jobs have one priority"),
        ({"policy": "priority", "ageing": "1 d"}, "clusters.c.queue: all jobs have one priority"),
    ],
)
def test_an_order_by_what_no_job_has_is_warned_of(queue: Any, said: str) -> None:
    (warning,) = open_inputs(with_queue(queue)).warnings
    assert warning.startswith(said)
    assert "the first come are served first (clusters: c)" in warning
    assert open_inputs(with_queue("fifo")).warnings == ()
