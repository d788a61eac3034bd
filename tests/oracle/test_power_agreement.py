"""The engine and the readable model agree on random fleets with curves, levels and budgets.

Job for job: start, end, cluster, lowest node, level, whether power kept it waiting. Joule for joule
and gram for gram: of every job, node and half-hour, with warm-up, horizon and draining. And no
budget is passed at any instant.
"""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.engine import state
from simulator.inputs import open_inputs
from simulator.scenario import from_document
from simulator.simulation import simulated
from tests.oracle.power import ROUNDING, PowerModel, bill
from tests.oracle.power_cases import HORIZON_H, LOAD_PUE, document, limits_w, model_of

CASES, FEW = 50, 20
"""Cases in each group, and how many of them are tested at each change."""

BENT = ["exponent", "points", "components"]
GROUPS: dict[str, dict[str, Any]] = {
    "curves": {"curves": BENT},
    "curves and warm-up": {"curves": BENT, "warm_up": "97 min", "pue": LOAD_PUE},
    "budgets on straight lines": {"curves": ["linear"], "budgets": True},
    "budgets on curves": {"curves": BENT, "budgets": True, "warm_up": "41 min"},
    "sleep": {"curves": ["linear", *BENT], "sleep": True, "pue": LOAD_PUE},
    "everything": {
        "curves": ["linear", *BENT],
        "sleep": True,
        "budgets": True,
        "warm_up": "65 min",
        "pue": LOAD_PUE,
    },
}
EXACTLY = {"rel": 1e-9, "abs": 1e-13}


@pytest.mark.parametrize(
    "seed",
    [pytest.param(n, marks=() if n < FEW else pytest.mark.verify) for n in range(CASES)],
)
@pytest.mark.parametrize("group", GROUPS)
def test_engine_and_model_agree(
    group: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:  # the log is handed over in small pieces
        monkeypatch.setattr(state, "LOG_ROWS", 3)
    rng = np.random.default_rng([seed, list(GROUPS).index(group)])
    said = document(rng, tmp_path, GROUPS[group])
    opened = open_inputs(from_document(said))
    ran = simulated(opened)
    model = model_of(said, opened)
    model.run()
    log = ran.log
    cut = log.end_ms > log.finished_ms
    assert log.start_ms.tolist() == model.start_ms
    assert np.where(cut, -1, log.end_ms).tolist() == model.end_ms
    assert log.cluster.tolist() == model.cluster
    assert log.first_node.tolist() == model.first_node
    started = log.start_ms >= 0
    assert log.power_level[started].tolist() == np.array(model.level)[started].tolist()
    assert np.flatnonzero(log.held_back).tolist() == sorted(model.held_back)
    assert log.finished_ms == model.stop_ms
    assert_same_bill(said, ran, model)
    assert_within_budgets(said, model)
    assert_same_counts(ran, model)


def assert_same_bill(said: dict[str, Any], ran: Any, model: PowerModel) -> None:
    results = ran.results
    begin_ms = ran.metered.grid.begin_ms
    billed = bill(model, begin_ms)
    halves = -(-model.stop_ms // 1_800_000)
    clusters, rows = len(model.clusters), len(model.jobs)
    it = np.array([[billed.by_cluster[k, h] for h in range(halves)] for k in range(clusters)])
    nodes = [billed.by_node[node.number] for node in model.nodes]
    assert results.nodes["energy_it_kwh"].tolist() == pytest.approx(nodes, **EXACTLY)
    dynamic, idle = (
        np.array([[part[row, h] for h in range(halves)] for row in range(rows)])
        for part in (billed.dynamic, billed.idle)
    )
    jobs = results.jobs
    by_job = jobs["energy_dynamic_kwh"].tolist()
    assert by_job == pytest.approx(dynamic.sum(axis=1), **EXACTLY)
    assert jobs["energy_idle_share_kwh"].tolist() == pytest.approx(idle.sum(axis=1), **EXACTLY)
    ratio, borne, fixed = ratios(said, ran, it, begin_ms, halves)
    site = ran.inputs.fleet.site
    grams = intensities(said, halves)
    kg = np.zeros(rows)
    for row, number in enumerate(model.cluster):
        at = site[number]
        kg[row] = (dynamic[row] + idle[row]) @ (ratio[at] * grams[at] + borne[at]) / 1000
    assert jobs["operational_kgco2e"].tolist() == pytest.approx(kg, **EXACTLY)
    whole = [
        ((it[site == at].sum(axis=0) * ratio[at] + fixed[at]) * grams[at]).sum() / 1000
        for at in range(2)
        if (site == at).any()
    ]
    total_kg = results.summary["scope2_location_kgco2e"]
    assert total_kg == pytest.approx(math.fsum(whole), **EXACTLY)
    assert_same_hours(results, it, begin_ms)


def assert_same_hours(results: Any, it: Any, begin_ms: int) -> None:
    hours = np.pad(it, ((0, 0), (0, it.shape[1] % 2))).reshape(len(it), -1, 2).sum(axis=2)
    hours = hours[:, begin_ms // 3_600_000 :]
    hourly = results.hourly["energy_it_kwh"].to_numpy().reshape(-1, len(it)).T
    np.testing.assert_allclose(hourly, hours, rtol=1e-9, atol=1e-12)


def ratios(said: dict[str, Any], ran: Any, it: Any, begin_ms: int, halves: int) -> Any:
    """Return by site: facility over IT energy, grams of fixed losses per kWh, their kWh."""
    site, grams = ran.inputs.fleet.site, intensities(said, halves)
    edges = np.arange(halves + 1) * 1_800_000
    width_h = np.diff(np.clip(edges, begin_ms, ran.log.finished_ms)) / 3_600_000
    ratio, borne, fixed = [], [], []
    for at, building in enumerate(said["sites"].values()):
        model = isinstance(building["pue"], dict)
        ratio.append(1.06 if model else building["pue"])
        kwh = (0.7 if model else 0.0) * width_h
        caused, drawn = np.zeros(halves), it[site == at].sum(axis=0)
        for first in range(0, halves, 2):
            hour = slice(first, first + 2)
            if drawn[hour].sum():
                caused[hour] = (kwh * grams[at])[hour].sum() / drawn[hour].sum()
        borne.append(caused)
        fixed.append(kwh)
    return ratio, borne, fixed


def intensities(said: dict[str, Any], halves: int) -> Any:
    path = Path(said["sites"]["s"]["grid"]["average"]["file"])
    values = [float(line.split(",")[1]) for line in path.read_text().splitlines()[1:]]
    around = list(itertools.islice(itertools.cycle(values), halves))
    return np.array([around, [50.0] * halves])


def assert_within_budgets(said: dict[str, Any], model: PowerModel) -> None:
    clusters_w, sites_w = limits_w(said)
    limits = [(budget_w, [k]) for k, budget_w in enumerate(clusters_w)]
    limits += [
        (budget_w, [k for k, power in enumerate(model.powers) if power.site == at])
        for at, budget_w in enumerate(sites_w)
    ]
    steps = [model.power_over_time(k) for k in range(len(model.clusters))]
    for budget_w, members in limits:
        if math.isinf(budget_w) or not members:
            continue
        drawn_w = 0.0
        for at_ms in sorted({at for k in members for at in steps[k]}):
            drawn_w += math.fsum(steps[k].get(at_ms, 0.0) for k in members)
            assert drawn_w <= budget_w * (1 + 2 * ROUNDING) + 1e-9, at_ms


def assert_same_counts(ran: Any, model: PowerModel) -> None:
    """Jobs submitted in the warm-up are in no count; all energy after it is in the sum."""
    summary, begin_ms = ran.results.summary, ran.metered.grid.begin_ms
    counted = [row for row, job in enumerate(model.jobs) if job.submit_ms >= begin_ms]
    capped = [row for row in range(len(model.jobs)) if model.level[row]]
    more_kwh = 0.0
    kwh = ran.results.jobs["energy_dynamic_kwh"].to_numpy()
    for row in capped:
        speed, draw = model.powers[model.cluster[row]].levels[model.level[row]]
        more_kwh += kwh[row] / draw * speed - kwh[row]
    assert summary["jobs_delayed_by_power"] == len(model.held_back.intersection(counted))
    assert summary["jobs_capped"] == len(set(capped).intersection(counted))
    assert summary["energy_capped_kwh"] == pytest.approx(more_kwh, **EXACTLY)
    hours = HORIZON_H if not ran.inputs.scenario.drain else summary["horizon_h"]
    assert hours == HORIZON_H
