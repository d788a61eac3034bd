"""What a search refuses: everything at once, each with its place, rule and remedy."""

from typing import Any

import pytest

from simulator.errors import InputError
from simulator.optimisation.objectives import Limit, Objective
from simulator.optimisation.search import Search, search_of
from tests.unit.searches import AFTER, CARBON, COUNT, IDLE, WAIT, day, table


def refused(said: dict[str, Any]) -> list[str]:
    """Return the problems of a table, as path and message."""
    with pytest.raises(InputError) as error:
        search_of(day(), said)
    return [f"{issue.path}  {issue.message}" for issue in error.value.issues]


def test_a_table_becomes_a_search() -> None:
    said = table(
        constraints="pue <= 1.5", where=f"{COUNT} > 1", trials=7, seeds=3, sampler="nsga2", batch=2
    )
    search = search_of(day(), said)
    assert search.objectives == (Objective(CARBON), Objective(WAIT))
    assert search.limits == (Limit("pue <= 1.5", "pue", "<=", 1.5),)
    assert [condition.text for condition in search.where] == [f"{COUNT} > 1"]
    assert (search.trials, search.batch, search.sampler) == (7, 2, "nsga2")
    assert search.seeds == (3, 4, 5)
    assert search.quantities == (CARBON, WAIT, "pue")
    assert [axis.path for axis in search.axes] == [COUNT, IDLE]


@pytest.mark.parametrize("word", ["maximise", "maximize", "max"])
def test_directions_may_be_written_in_several_ways(word: str) -> None:
    (objective,) = search_of(day(), table(objectives={"utilisation": word})).objectives
    assert objective == Objective("utilisation", maximise=True)
    assert objective.loss(0.4) == -0.4
    assert objective.direction == "maximise"


def test_tables_may_be_nested_and_keys_quoted() -> None:
    said = {
        "objectives": {CARBON: "min"},
        "clusters": {"a": {"count": [1, 2], "idle": ["ladder"]}},
        "sites.s": {"pue": {"low": 1.0, "high": 1.5, "step": 0.25}},
    }
    axes = search_of(day(), said).axes
    assert [(axis.path, axis.size) for axis in axes] == [
        ("clusters.a.count", 2),
        ("clusters.a.idle", 1),
        ("sites.s.pue", 3),
    ]


@pytest.mark.parametrize(
    ("sign", "kept", "missed"),
    [("<=", 2.0, 2.5), ("<", 1.9, 2.0), (">=", 2.0, 1.5), (">", 2.1, 2.0)],
)
def test_limits_are_kept_or_missed_by_a_share(sign: str, kept: float, missed: float) -> None:
    limit = Limit(f"x {sign} 2", "x", sign, 2.0)
    assert limit.is_kept(kept)
    assert limit.excess(kept) == 0.0
    assert not limit.is_kept(missed)
    assert limit.excess(missed) == pytest.approx(max(abs(missed - 2.0) / 2.0, 2.2e-16))
    assert Limit("x <= 0", "x", "<=", 0.0).excess(3.0) == 3.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": {"total_kgco2": "min"}},
         ('objectives.total_kgco2  "total_kgco2" is no quantity of the summary; did you mean '
         '"total_kgco2e"?')),
        ({"objectives": {"name": "min"}},
         'objectives.name  "name" says which run it is; take a result, e.g. total_kgco2e'),
        ({"objectives": {CARBON: "minimse"}},
         f'objectives.{CARBON}  "minimse" is no direction; did you mean "minimise"?'),
        ({"objectives": {CARBON: ["min", "max"]}},
         (f'objectives.{CARBON}  ["min", "max"] is more than one direction; write "minimise" or '
         '"maximise"')),
        ({"objectives": None},
         'objectives  missing; write e.g. objectives = { total_kgco2e = "minimise" }'),
        ({"objectives": {}},
         ("objectives  {} names no objective; write e.g. objectives = "
         '{ total_kgco2e = "minimise" }')),
        ({"constraints": ["wait_p99_h < two"]},
         ('constraints[0]  "wait_p99_h < two" is no condition on a result; write a quantity, one '
         'of <=, >=, <, >, and a number: "wait_p99_h <= 2"')),
        ({"constraints": ["wait_p99_h == 2"]},
         ('constraints[0]  "wait_p99_h == 2" is no condition on a result; write a quantity, one '
         'of <=, >=, <, >, and a number: "wait_p99_h <= 2"')),
        ({"constraints": ["pue <= 1.5", "wait_p9_h <= 2"]},
         'constraints[1]  "wait_p9_h" is no quantity of the summary; did you mean "wait_p99_h"?'),
        ({"constraints": [f"{COUNT} <= 8"]},
         (f'constraints[0]  "{COUNT}" is a key of the scenario; write conditions on axes into '
         "where")),
        ({"constraints": [4]},
         'constraints[0]  4 is not a condition; write it in quotes: "wait_p99_h <= 2"'),
        ({"constraints": 4},
         'constraints  4 is not a list; write constraints = ["wait_p99_h <= 2"]'),
        ({"trials": 0}, "trials  0 is out of range; write a whole number from 1 to 100000"),
        ({"trials": True}, "trials  true is out of range; write a whole number from 1 to 100000"),
        ({"batch": 1.5}, "batch  1.5 is out of range; write a whole number from 1 to 100000"),
        ({"sampler": "tep"}, 'sampler  "tep" is no sampler; did you mean "tpe"?'),
        ({"sampler": 3}, "sampler  3 is no sampler; known are tpe, nsga2, random"),
        ({"seeds": 200_000}, "seeds  200000 seeds are too many; write at most 100000"),
        ({"trails": 100}, "trails  unknown key; did you mean 'trials'?"),
        ({"clusters.a.cuont": [1, 2]}, "clusters.a.cuont  unknown key; did you mean 'count'?"),
        ({COUNT: []},
         f"{COUNT}  no values; write those to try, e.g. [96, 128], or take it out"),
        ({COUNT: {"low": 8, "high": 64, "step": 10}},
         f"{COUNT}  step = 10 leads from 8 to 58, not to 64; change one"),
        ({COUNT: {"low": 8, "high": 64, "step": -8}},
         f"{COUNT}  step = -8 must be above 0; write how far the next value is"),
        ({COUNT: {"low": 8, "high": 64, "step": 0.5}},
         f"{COUNT}  step = 0.5 is no whole number, as this key needs; write e.g. step = 8"),
        ({COUNT: {"low": 8, "high": 64, "step": 8, "log": True}},
         f"{COUNT}  has step and log, which exclude each other; leave one out"),
        ({COUNT: {"p50": 8, "p99": 64}},
         (f"{COUNT}  a law is for sweeps, which draw; write a list, or a range, e.g. "
         '{ low = 64, high = 160, step = 8 } or { low = "5 min", high = "2 h" }')),
        ({AFTER: {"low": "5 min", "high": "1 h", "step": "5 kW"}},
         f'{AFTER}  step = "5 kW" goes with no range in min; write e.g. "5 min"'),
        ({"sites.s.pue": {"low": 1.0, "high": 1.5, "step": "much"}},
         'sites.s.pue  step = "much" is no number; write how far the next value is'),
        ({"where": ["clusters.b.count < 4"]},
         'where[0]  "clusters.b.count" is no axis of this sweep; did you mean clusters.a.count?'),
        ({"where": [f"{COUNT} < '4 kW'"]},
         "where[0]  a number and a power can't be compared; write both in one dimension"),
        ({"where": [f"{COUNT} + 4"]},
         f'where[0]  "{COUNT} + 4" is a number, neither true nor false; compare it'),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_remedy(changes: dict[str, Any], message: str) -> None:
    assert refused(table(**changes)) == [f"optimize.{message}"]


def test_a_table_without_axes_says_how_one_is_written() -> None:
    assert refused({"objectives": {CARBON: "min"}}) == [
        'optimize  no axis; write e.g. "clusters.train.count" = { low = 64, high = 160, step = 8 }'
    ]


def test_all_problems_are_told_at_once() -> None:
    said = table(objectives={"co2": "min"}, trials=-1, sampler="x", seeds=0, constraints=["?"])
    paths = [problem.split()[0] for problem in refused(said | {IDLE: ["always-off"]})]
    assert paths == [
        "optimize.objectives.co2",
        "optimize.constraints[0]",
        "optimize.trials",
        "optimize.sampler",
        "optimize.seeds",
        "optimize.clusters.a.idle",
    ]


def test_the_digest_is_that_of_what_decides() -> None:
    def digest(base: Any = None, **changes: Any) -> str:
        search: Search = search_of(base or day(), table(**changes))
        return search.digest

    assert digest() == digest(trials=100)
    different = {digest(), digest(trials=9), digest(seeds=2), digest(sampler="random")}
    assert len(different | {digest(day().replace({"horizon": "2 d"}))}) == 5
