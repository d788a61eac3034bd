"""Parents, overrides and replacements: what stands over what, and where it came from."""

from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.scenario import Scenario, from_document, load
from simulator.scenario.laws import Constant, Exponential, Lognormal
from simulator.scenario.model import GridConstant
from simulator.scenario.toml_writer import toml_text
from simulator.units import MS_PER_H
from tests.unit.scenario_documents import SMALL, changed


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.toml"
    path.write_text(toml_text(SMALL))
    return path


def child(base: Path, text: str) -> Path:
    path = base.with_name("my.toml")
    path.write_text(f'schema = 1\nextends = "{base.name}"\n{text}')
    return path


def messages(path: Path, *sets: str) -> dict[str, str]:
    with pytest.raises(InputError) as refused:
        load(path, sets=sets)
    return {issue.path: issue.message for issue in refused.value.issues}


# Parents


def test_a_child_says_only_what_differs(base: Path) -> None:
    scenario = load(child(base, 'name = "other"\n[clusters.c]\ncount = 5\n'))
    assert (scenario.name, scenario.clusters["c"].count) == ("other", 5)
    assert scenario.clusters["c"].node == "n"
    assert scenario.origins["clusters.c.count"] == "my.toml"
    assert scenario.origins["clusters.c.node"] == "base.toml (extends)"
    assert scenario.origins["clusters.c.queue"] == "default"
    assert "extends" not in scenario.document


def test_one_number_of_a_distribution_can_be_changed(base: Path) -> None:
    base.write_text(toml_text(changed("workloads.w.duration", {"p50": "1 h", "p99": "9 h"})))
    scenario = load(child(base, '[workloads.w]\nduration = { p99 = "20 h" }\n'))
    law = scenario.workloads["w"].duration
    assert law == Lognormal(p50=float(MS_PER_H), p99=20.0 * MS_PER_H)


def test_another_distribution_replaces_the_parents_whole(base: Path) -> None:
    base.write_text(toml_text(changed("workloads.w.duration", {"p50": "1 h", "p99": "9 h"})))
    text = '[workloads.w]\nduration = { dist = "exponential", mean = "1 h" }\n'
    law = load(child(base, text)).workloads["w"].duration
    assert law == Exponential(mean=float(MS_PER_H))


def test_gpu_days_stand_in_place_of_the_parents_duration(base: Path) -> None:
    scenario = load(child(base, "[workloads.w]\ngpu_days = 2\n"))
    assert scenario.workloads["w"].gpu_days == Constant(value=2.0)
    assert scenario.workloads["w"].duration is None
    assert "workloads.w.duration" not in scenario.origins


def test_jobs_stand_in_place_of_the_parents_arrivals_and_sizes(base: Path) -> None:
    base.with_name("jobs.csv").touch()
    workload = load(child(base, '[workloads.w]\njobs = { file = "jobs.csv" }\n')).workloads["w"]
    assert workload.jobs is not None
    assert (workload.arrivals, workload.gpus, workload.duration) == (None, None, None)


def test_a_parents_files_lie_where_the_parent_lies(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "grid.csv").touch()
    average = {"file": "grid.csv", "time": "t", "value": "v", "unit": "g/kWh"}
    parent = tmp_path / "common" / "base.toml"
    parent.write_text(toml_text(changed("sites.s.grid", {"average": average})))
    (tmp_path / "my.toml").write_text('schema = 1\nextends = "common/base.toml"\n')
    source = load(tmp_path / "my.toml").sites["s"].grid.average
    assert source.path == tmp_path / "common" / "grid.csv"
    assert source.text == "common/grid.csv"


def test_a_grandparent_is_the_farthest_layer(base: Path) -> None:
    middle = base.with_name("middle.toml")
    middle.write_text('schema = 1\nextends = "base.toml"\nseed = 1\n[sites.s]\npue = 1.3\n')
    scenario = load(child(middle, "seed = 2\n"))
    assert (scenario.seed, scenario.sites["s"].pue, scenario.name) == (2, 1.3, "small")


def test_a_circle_of_parents_is_printed(base: Path) -> None:
    base.write_text('schema = 1\nextends = "my.toml"\n')
    assert messages(child(base, "")) == {
        "extends": "goes in a circle: my.toml -> base.toml -> my.toml; cut it"
    }


def test_a_file_can_not_extend_itself(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('schema = 1\nextends = "./my.toml"\n')
    assert messages(path)["extends"].startswith("goes in a circle: my.toml -> my.toml")


def test_a_syntax_error_of_a_parent_names_the_parent(base: Path) -> None:
    base.write_text("a = \n")
    with pytest.raises(InputError) as refused:
        load(child(base, ""))
    assert refused.value.source == str(base)


def test_a_problem_that_stands_in_the_parent_says_so(base: Path) -> None:
    base.write_text(toml_text(changed("clusters.c.count", -1)))
    assert messages(child(base, ""))["clusters.c.count"].endswith("[base.toml (extends)]")


def test_a_list_of_parents_is_refused(base: Path) -> None:
    path = base.with_name("my.toml")
    path.write_text('schema = 1\nextends = ["base.toml"]\n')
    assert messages(path)["extends"].endswith('write one parent, e.g. extends = "base.toml"')


# --set


@pytest.mark.parametrize(
    ("said", "path", "value"),
    [
        ("clusters.c.count=256", "clusters.c.count", 256),
        ("clusters.c.placement=spread", "clusters.c.placement", "spread"),
        ('clusters.c.placement = "spread"', "clusters.c.placement", "spread"),
        ("nodes.n.idle_power=0.5 kW", "nodes.n.idle_power", "0.5 kW"),
        ("workloads.w.gpus={ choices = [1, 2] }", "workloads.w.gpus", {"choices": [1, 2]}),
        ("workloads.w.arrivals.rate=9 per d", "workloads.w.arrivals.rate", "9 per d"),
        ("accounting.interval=15 min", "accounting.interval", "15 min"),
        ("name=a=b", "name", "a=b"),
        ("drain=true", "drain", True),
    ],
)
def test_a_value_is_set_by_its_dotted_path(base: Path, said: str, path: str, value: Any) -> None:
    scenario = load(base, sets=[said])
    assert scenario.canonical() == from_document(changed(path, value)).canonical()
    assert "--set" in scenario.origins.values()


def test_an_entry_of_a_list_is_set_by_its_number(base: Path) -> None:
    states = [{"name": "sleep", "after": "5 min", "power": "100 W"}]
    base.write_text(toml_text(changed("nodes.n.idle_states", states)))
    for path in ("nodes.n.idle_states.0.after", "nodes.n.idle_states[0].after"):
        (state,) = load(base, sets=[f"{path}=1 h"]).nodes["n"].idle_states
        assert state.after_ms == MS_PER_H
    assert "name an entry by its number, 0 to 0" in next(
        iter(messages(base, "nodes.n.idle_states.3.after=1 h").values())
    )


STATES = [
    {"name": "nap", "after": "5 min", "power": "100 W", "wake_time": {"p50": "1 s", "p99": "2 s"}},
    {"name": "off", "after": "1 h", "power": "10 W"},
]
WITHIN = "nodes.n.idle_states"


def test_values_within_a_list_keep_their_origins(base: Path) -> None:
    base.write_text(toml_text(changed("nodes.n.idle_states", STATES)))
    sets = [f"{WITHIN}.0.after=6 min", f"{WITHIN}[0].wake_time.p99=3 s", "clusters.c.count=3"]
    scenario = load(base, sets=sets)
    inner = {path: label for path, label in scenario.origins.items() if "[" in path}
    assert inner == {
        f"{WITHIN}[0].after": "--set",
        f"{WITHIN}[0].wake_time.p99": "--set",
    }
    assert scenario.origins[WITHIN] == "base.toml"
    # Another replacement, of something else, forgets none of them.
    other = scenario.replace({f"{WITHIN}[1].power": "5 W"}).origins
    assert other == scenario.origins | {f"{WITHIN}[1].power": "replace"}


def test_a_list_or_table_that_is_replaced_takes_the_origins_within_it_along(base: Path) -> None:
    base.write_text(toml_text(changed("nodes.n.idle_states", STATES)))
    first = [f"{WITHIN}.0.wake_time.p99=3 s", f"{WITHIN}.1.power=1 W"]
    for last, left in (
        (f"{WITHIN}.0.wake_time=5 s", {f"{WITHIN}[0].wake_time", f"{WITHIN}[1].power"}),
        (f'{WITHIN}=[{{ name = "s", after = "1 min", power = "9 W" }}]', set()),
    ):
        origins = load(base, sets=[*first, last]).origins
        assert {path for path in origins if "[" in path} == left
    own = child(base, "[nodes.n]\nidle_states = []\n")
    assert not [path for path in load(own).origins if "[" in path]


def test_a_refused_value_within_a_list_says_where_it_stands(base: Path) -> None:
    base.write_text(toml_text(changed("nodes.n.idle_states", STATES)))
    refused = messages(base, f"{WITHIN}[1].wake_time=5", f"{WITHIN}.0.power=9 kW")
    assert set(refused) == {f"{WITHIN}[0].power", f"{WITHIN}[1].wake_time"}
    assert all(message.endswith(" [--set]") for message in refused.values())
    parent = [STATES[0], STATES[1] | {"power": 10}]
    base.write_text(toml_text(changed("nodes.n.idle_states", parent)))
    (message,) = messages(child(base, "")).values()
    assert message.endswith(" [base.toml (extends)]")


def test_a_quoted_name_with_a_dot_can_be_set(base: Path) -> None:
    base.write_text(
        toml_text(changed("clusters", {"a.b": SMALL["clusters"]["c"]} | SMALL["clusters"]))
    )
    assert load(base, sets=['clusters."a.b".count=7']).clusters["a.b"].count == 7


def test_one_figure_of_a_catalog_node_can_be_set(base: Path) -> None:
    scenario = load(base, sets=["clusters.c.node=hgx-a100", "nodes.hgx-a100.idle_power=1 kW"])
    assert scenario.nodes["hgx-a100"].idle_power_w == 1000.0
    assert scenario.nodes["hgx-a100"].busy_power_w == 5400.0
    assert scenario.origins["nodes.hgx-a100.idle_power"] == "--set"


def test_a_later_set_stands_over_an_earlier_one_and_the_seed_over_both(base: Path) -> None:
    scenario = load(base, sets=["seed=1", "seed=2"])
    assert scenario.seed == 2
    assert load(base, sets=["seed=1"], seed=3).seed == 3
    assert load(base, seed=3).origins["seed"] == "--seed"


@pytest.mark.parametrize(
    ("said", "path", "message"),
    [
        ("clusters.c.cout=3", "clusters.c.cout", "unknown key; did you mean 'count'? [--set]"),
        (
            "clusters.d.count=3",
            "clusters.d.count",
            "no such entry of [clusters]; known are c",
        ),
        ("cluster.c.count=3", "cluster", "unknown key; did you mean 'clusters'?"),
        ("clusters.c.count=many", "clusters.c.count", '"many" is not a whole number'),
        ("seed.x=3", "seed.x", "seed is 7, not a table"),
        ("clusters.c=3", "clusters.c", "3 is not a table; name a key below it"),
        ("clusters.c.count", "--set clusters.c.count", "write it as PATH=VALUE"),
        ("clusters..count=3", "clusters..count", "is not a path; write keys with dots"),
        ("=3", "", "is not a path"),
        ("seed=1\n[x]", "seed", "is not a whole number"),
    ],
)
def test_what_can_not_be_set_is_refused(base: Path, said: str, path: str, message: str) -> None:
    base.write_text(toml_text(SMALL | {"seed": 7}))
    assert message in messages(base, said)[path]


def test_problems_of_sets_and_of_the_file_come_together(base: Path) -> None:
    base.write_text(toml_text(changed("sites.s.pue", 0.5)))
    assert set(messages(base, "clusters.c.cout=3", "nope")) == {
        "--set nope",
        "clusters.c.cout",
        "sites.s.pue",
    }


# Replacing in Python


def test_replacing_returns_another_scenario_and_leaves_the_first() -> None:
    first = from_document(SMALL)
    second = first.replace({"clusters.c.count": 9, "sites.s.pue": 1.2})
    assert (second.clusters["c"].count, second.sites["s"].pue) == (9, 1.2)
    assert (first.clusters["c"].count, first.sites["s"].pue) == (2, 1.1)
    assert second.origins["clusters.c.count"] == "replace"
    assert second.origins["sites.s.grid.gaps"] == "default"


def test_replacing_by_the_same_value_is_the_same_scenario() -> None:
    first = from_document(SMALL)
    assert first.replace({"clusters.c.count": 2}).canonical() == first.canonical()


def test_values_that_follow_from_a_replaced_one_follow_it() -> None:
    sleep = [{"name": "sleep", "after": "5 min", "power": "100 W"}]
    first = from_document(changed("nodes.n.idle_states", sleep))
    (state,) = first.replace({"nodes.n.idle_power": "2 kW"}).nodes["n"].idle_states
    assert state.wake_power_w == 2000.0


def test_replacing_a_grid_by_another_kind_of_source_replaces_it_whole() -> None:
    first = from_document(SMALL)
    second = first.replace({"sites.s.grid.average": "PJM"})
    third = second.replace({"sites.s.grid.average": {"constant": "9 g/kWh"}})
    assert third.sites["s"].grid.average == GridConstant(g_per_kwh=9.0)


def test_replacing_by_none_takes_a_value_out() -> None:
    first = from_document(changed("workloads.w.max_jobs", 5))
    assert first.replace({"workloads.w.max_jobs": None}).workloads["w"].max_jobs is None


def test_another_catalog_node_drives_out_the_first() -> None:
    first = from_document(changed("clusters.c.node", "hgx-a100"))
    second = first.replace({"clusters.c.node": "dgx-h100"})
    assert list(second.nodes) == ["dgx-h100"]
    assert "hgx-a100" not in second.document["nodes"]


def test_a_bad_replacement_is_refused_like_a_bad_file() -> None:
    with pytest.raises(InputError) as refused:
        from_document(SMALL).replace({"clusters.c.count": -1, "clusters.x.count": 1})
    assert {issue.path for issue in refused.value.issues} == {
        "clusters.c.count",
        "clusters.x.count",
    }


def test_the_document_is_a_copy_of_ones_own() -> None:
    scenario = from_document(SMALL)
    scenario.document["clusters"]["c"]["count"] = 99
    assert scenario.document["clusters"]["c"]["count"] == 2


def test_a_document_may_extend_a_file(base: Path) -> None:
    scenario = from_document({"extends": "base.toml", "seed": 4}, folder=base.parent)
    assert (scenario.seed, scenario.name) == (4, "small")


def canonical(**changes: Any) -> str:
    return from_document(SMALL).replace(changes).canonical()


def test_the_canonical_text_is_the_same_however_a_scenario_is_put() -> None:
    plain = from_document(SMALL).canonical()
    assert canonical(**{"nodes.n.idle_power": "1000 W", "warm_up": "0 min"}) == plain
    assert canonical(**{"clusters.c.queue": {"policy": "fifo"}, "drain": False}) == plain
    assert canonical(**{"workloads.w.gpus": {"choices": [4], "weights": [2]}}) == plain
    assert canonical(**{"workloads.w.duration": {"constant": "120 min"}}) == plain


@pytest.mark.parametrize(
    ("path", "value"),
    [("seed", 1), ("name", "b"), ("horizon", "11 h"), ("workloads.w.utilisation", 0.5)],
)
def test_the_canonical_text_differs_where_results_do(path: str, value: Any) -> None:
    assert canonical(**{path: value}) != from_document(SMALL).canonical()


def test_the_canonical_text_knows_no_paths_and_no_citations(tmp_path: Path) -> None:
    def jobs(folder: str) -> Scenario:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "jobs.csv").touch()
        document = changed("workloads.w", {"clusters": ["c"], "jobs": {"file": "jobs.csv"}})
        document["nodes"]["n"]["source"] = folder
        return from_document(document, folder=tmp_path / folder)

    assert jobs("a").canonical() == jobs("b").canonical()


def test_the_order_of_clusters_counts() -> None:
    one = changed("clusters.d", SMALL["clusters"]["c"])
    other = changed("clusters", {"d": SMALL["clusters"]["c"]} | SMALL["clusters"])
    assert from_document(one).canonical() != from_document(other).canonical()
