"""Policies on the engine that ask what intensities are expected, and what a run tells of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.errors import InputError, PolicyError
from simulator.registry import provisioning
from simulator.scenario import from_document
from simulator.simulation import Simulated, run
from simulator.units import MS_PER_H
from tests.builders import file_grid, scenario_document, write_grid

START = "2022-01-01T00:00:00Z"
HOURS = MS_PER_H * np.arange(4)
VALUES = [float(100 + 10 * hour) for hour in range(48)]


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.names()  # those that ship are registered once
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


def asking(heard: list[Any], signal: Any = "average", leads: Any = HOURS) -> None:
    """Register a policy that asks each hour what is expected, in place of the last one."""
    provisioning._plugins.pop("asking", None)

    @fs.provisioning("asking")
    def ask(env: Any, cluster: Any) -> Iterator[Any]:
        while True:
            heard.append(cluster.intensity_ahead(leads, signal=signal).tolist())
            yield env.timeout(MS_PER_H)


def document(tmp_path: Path, **grid: Any) -> dict[str, Any]:
    path = write_grid(tmp_path / "g.csv", START, MS_PER_H, VALUES)
    keys = {"clusters__c__idle": "asking", "horizon": "3 h"}
    return scenario_document(grid={**file_grid(path), **grid}, **keys)


def asked(tmp_path: Path, heard: list[Any], **grid: Any) -> Simulated:
    asking(heard)
    return run(from_document(document(tmp_path, **grid)))


def test_a_policy_is_told_what_its_site_expects(tmp_path: Path) -> None:
    heard: list[Any] = []
    done = asked(tmp_path, heard)
    assert heard == [VALUES[hour : hour + 4] for hour in range(3)]
    row = ("c", "perfect forecast of average intensity", "3", "times asked", "policy asking")
    assert row in done.results.assumptions


@pytest.mark.parametrize("method", ["persistence", "previous-day"])
def test_the_method_is_the_scenarios(tmp_path: Path, method: str) -> None:
    heard: list[Any] = []
    asked(tmp_path, heard, forecast=method)
    assert heard == [[VALUES[hour]] * 4 for hour in range(3)]


def test_a_noisy_forecast_is_one_of_the_runs_seed(tmp_path: Path) -> None:
    noisy = {"method": "noisy", "error": 0.1}
    one: list[Any] = []
    done = asked(tmp_path, one, forecast=noisy)
    assert [expected[0] for expected in one] == VALUES[:3]
    assert one[0][1] != VALUES[1]
    [row] = [row for row in done.results.assumptions if "forecast of" in row[1]]
    assert row[1] == "noisy, error 0.1 a day ahead forecast of average intensity"
    two: list[Any] = []
    asked(tmp_path, two, forecast=noisy)
    other: list[Any] = []
    asking(other)
    run(from_document(document(tmp_path, forecast=noisy)), seed=9)
    assert one == two != other


def test_clusters_of_one_site_hear_the_same_and_of_two_sites_not(tmp_path: Path) -> None:
    heard: dict[str, Any] = {}

    @fs.provisioning("asking")
    def ask(env: Any, cluster: Any) -> Iterator[Any]:
        heard[cluster.name] = cluster.intensity_ahead(HOURS).tolist()
        yield env.timeout(MS_PER_H)

    said = document(tmp_path, forecast={"method": "noisy", "error": 0.1})
    said["clusters"]["d"] = said["clusters"]["c"]
    said["sites"]["t"] = said["sites"]["s"]
    said["clusters"]["e"] = {**said["clusters"]["c"], "site": "t"}
    run(from_document(said))
    assert heard["c"] == heard["d"] != heard["e"]


def test_what_can_not_be_asked_is_told_with_policy_and_cluster(tmp_path: Path) -> None:
    asking([], signal="marginal")
    with pytest.raises(PolicyError, match="the site of c has no marginal intensity, known is aver"):
        run(from_document(document(tmp_path)))
    for leads in ([-1], [0.5], ["1 h"]):
        asking([], leads=leads)
        with pytest.raises(PolicyError, match="are no times from now; give whole milliseconds"):
            run(from_document(document(tmp_path)))


def test_another_bill_leaves_what_policies_foresaw(tmp_path: Path) -> None:
    heard: list[Any] = []
    done = asked(tmp_path, heard)
    first = list(heard)
    # Half-hourly edges: the events are metered again, and policies asked again, of the old grid.
    fine = write_grid(tmp_path / "fine.csv", START, MS_PER_H // 2, [50.0] * 20)
    billed = done.bill(average=file_grid(fine)["average"])
    assert heard == first * 2
    assert billed.bill(average=file_grid(fine)["average"]).results.summary == billed.results.summary
    assert heard == first * 2


@pytest.mark.parametrize(
    ("forecast", "path", "said"),
    [
        ("perfekt", "", "is no way to forecast; write one of"),
        (3, "", "is no way to forecast"),
        ({"method": "noisy"}, ".error", "missing; e.g. error = 0.1"),
        ({"method": "noisy", "error": -1}, ".error", "out of range"),
        ({"method": "perfect", "error": 0.1}, ".error", "it is for noisy"),
        ({"method": "noisy", "error": 0.1, "eror": 1}, ".eror", "did you mean 'error'?"),
    ],
)
def test_forecasts_that_are_none_are_refused(
    tmp_path: Path, forecast: Any, path: str, said: str
) -> None:
    asking([])
    with pytest.raises(InputError) as refused:
        from_document(document(tmp_path, forecast=forecast))
    [issue] = refused.value.issues
    assert issue.path == f"sites.s.grid.forecast{path}"
    assert said in issue.message


def test_a_scenario_without_a_forecast_keeps_its_key_and_one_with_it_its_document() -> None:
    plain = from_document(scenario_document())
    assert "forecast" not in plain.key_text()
    noisy = {"average": "CISO", "forecast": {"method": "noisy", "error": 0.1}}
    told = from_document(scenario_document(grid=noisy))
    again = from_document(told.replace({}).document)
    assert again.key_text() == told.key_text() != plain.key_text()
