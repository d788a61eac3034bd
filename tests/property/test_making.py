"""What holds of the carbon of making under every rule, whatever the jobs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.explanation.making import built_of, nodes_kg
from simulator.explanation.views import VIEWS, view_of
from tests.builders import results_of
from tests.property.test_accounting import a_document, intensities, rows
from tests.property.workloads import SEVERAL_RUNS

RULES = [
    {},
    {"embodied": "by-use"},
    {"embodied": "by-use", "in_use": "held"},
    {"embodied": "by-use", "in_use": "awake"},
]


@given(drawn=rows, grams=intensities, rule=st.sampled_from(RULES), built=st.booleans())
@SEVERAL_RUNS
def test_jobs_and_what_none_bears_are_the_fleet_and_views_are_its_total(
    drawn: Any, grams: Any, rule: dict[str, str], built: bool
) -> None:
    with a_document(drawn, grams, accounting=rule, warm_up="37 min") as document:
        for node in document["nodes"].values():
            node["use_lifetime"] = "1 y"
        if built:
            for site in document["sites"].values():
                site["building"] = {"embodied": "1500 t/MW", "lifetime": "20 y"}
        results = results_of(document)
    summary, jobs = results.summary, results.jobs
    embodied_kg = summary["scope3_embodied_kgco2e"]
    borne_kg = jobs["embodied_kgco2e"].sum()
    assert borne_kg <= embodied_kg * (1 + 1e-9)
    assert summary["allocated_kgco2e"] + summary["unallocated_kgco2e"] == pytest.approx(
        summary["total_kgco2e"], rel=1e-9
    )
    if rule.get("in_use", "awake") == "held" and not built:
        assert borne_kg == pytest.approx(embodied_kg, rel=1e-9)
    built_kg = sum(each.kgco2e for each in built_of(results))
    assert sum(nodes_kg(results).values()) + built_kg == pytest.approx(embodied_kg, rel=1e-9)
    for name in VIEWS:
        counted = [line.kgco2e for line in view_of(results, name).lines if line.counted]
        assert sum(kg or 0.0 for kg in counted) == pytest.approx(summary["total_kgco2e"], rel=1e-9)


@given(drawn=rows, grams=intensities)
@SEVERAL_RUNS
def test_a_rule_that_is_said_as_it_is_by_default_changes_nothing(drawn: Any, grams: Any) -> None:
    said = {"embodied": "straight-line", "retirement": "carried"}
    with a_document(drawn, grams) as document:
        plain = results_of(document)
        told = results_of(document | {"accounting": said})
    assert told.summary == plain.summary
    assert told.basis == plain.basis
