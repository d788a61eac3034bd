"""What a scenario file says arrives in house units, defaults included."""

import copy
import datetime as dt
import math
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pydantic
import pytest

from simulator.scenario import Scenario, from_document, load
from simulator.scenario.laws import (
    Beta,
    Constant,
    Empirical,
    Exponential,
    Law,
    Lognormal,
    LognormalMoments,
    Mixture,
    Uniform,
    Weibull,
)
from simulator.scenario.model import GridConstant, GridFile, GridName, Scheduling
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_Y
from tests.unit.scenario_documents import CONTRACT, SMALL, changed, with_value

H = float(MS_PER_H)


@pytest.fixture
def contract(tmp_path: Path) -> Scenario:
    (tmp_path / "philly.csv.gz").write_bytes(b"")
    (tmp_path / "my.toml").write_text(CONTRACT)
    return load(tmp_path / "my.toml")


def test_the_head_of_the_example_is_in_house_units(contract: Scenario) -> None:
    assert contract.schema_version == 1
    assert contract.name == "research-cluster"
    assert contract.start == dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    assert contract.horizon_ms == 28 * MS_PER_D
    assert contract.warm_up_ms == 2 * MS_PER_D
    assert (contract.drain, contract.seed, contract.warnings) == (False, 7, ())


def test_the_node_of_the_example_is_in_house_units(contract: Scenario) -> None:
    node = contract.nodes["hgx-a100"]
    assert (node.accelerator, node.accelerators) == ("a100-80g", 8)
    assert (node.idle_power_w, node.busy_power_w) == (1400.0, 5400.0)
    assert (node.embodied_kg, node.lifetime_ms) == (2500.0, 4 * MS_PER_Y)
    (state,) = node.idle_states
    assert (state.name, state.after_ms, state.power_w) == ("sleep", 900_000, 150.0)
    assert (state.enter_time_ms, state.enter_power_w) == (5000, 1400.0)
    assert (state.wake_time, state.wake_power_w) == (Constant(value=120_000.0), 1400.0)


def test_site_cluster_and_accounting_of_the_example_are_read(contract: Scenario) -> None:
    site, cluster = contract.sites["oregon"], contract.clusters["train"]
    assert (site.pue, site.grid.average) == (1.1, GridName(name="CISO"))
    assert site.grid.marginal == GridConstant(g_per_kwh=500.0)
    assert (site.grid.after_end, site.grid.gaps) == ("error", "error")
    assert (cluster.site, cluster.node, cluster.count) == ("oregon", "hgx-a100", 128)
    assert (cluster.queue, cluster.placement) == (Scheduling("fifo"), "pack")
    assert (cluster.idle.policy, cluster.max_waking) == ("always-on", None)
    assert contract.accounting.scope2 == ("location-based", "market-based")
    assert contract.accounting.interval_ms == MS_PER_H


def test_the_workloads_of_the_example_are_read(contract: Scenario, tmp_path: Path) -> None:
    drawn, replayed = contract.workloads["experiments"], contract.workloads["replay"]
    assert (drawn.clusters.policy, drawn.clusters.among) == ("preference", ("train",))
    assert drawn.arrivals.rate_per_ms == 700 / MS_PER_D
    assert drawn.gpu_days == Lognormal(p50=1.5, p99=24.0)
    assert drawn.gpus.choices == (1, 2, 4, 8, 16)
    assert math.fsum(drawn.gpus.weights) == pytest.approx(1)
    assert drawn.utilisation == Beta(mean=0.4, sd=0.1)
    assert (drawn.max_jobs, drawn.jobs, drawn.duration) == (100_000, None, None)
    assert (replayed.jobs.text, replayed.jobs.format) == ("philly.csv.gz", "csv")
    assert replayed.jobs.path == tmp_path / "philly.csv.gz"
    assert (replayed.arrivals, replayed.gpus, replayed.max_jobs) == (None, None, None)


def test_defaults_are_those_of_the_manual() -> None:
    scenario = from_document(SMALL)
    assert (scenario.warm_up_ms, scenario.drain, scenario.seed) == (0, False, 0)
    node = scenario.nodes["n"]
    assert (node.relative_speed, node.load_curve, node.idle_states) == (1.0, "linear", ())
    assert scenario.clusters["c"].placement == "pack"
    assert scenario.sites["s"].grid.marginal is None
    assert scenario.workloads["w"].utilisation == Constant(value=1.0)
    assert scenario.accounting.scope2 == ("location-based", "market-based")


@pytest.mark.parametrize(
    ("written", "law"),
    [
        (2, Constant(value=2.0)),
        ({"constant": 2}, Constant(value=2.0)),
        ({"p50": 3, "p99": 3}, Lognormal(p50=3.0, p99=3.0)),
        ({"dist": "lognormal", "p50": 1, "p99": 2}, Lognormal(p50=1.0, p99=2.0)),
        ({"dist": "lognormal", "mean": 4, "sd": 2}, LognormalMoments(mean=4.0, sd=2.0)),
        ({"dist": "exponential", "mean": 4}, Exponential(mean=4.0)),
        ({"dist": "weibull", "shape": 0.7, "scale": 4}, Weibull(shape=0.7, scale=4.0)),
        ({"dist": "uniform", "low": 1, "high": 2}, Uniform(low=1.0, high=2.0)),
        (
            {"mixture": [{"weight": 0.9, "p50": 1, "p99": 2}, {"weight": 0.1, "constant": 7}]},
            Mixture(parts=((0.9, Lognormal(p50=1.0, p99=2.0)), (0.1, Constant(value=7.0)))),
        ),
    ],
)
def test_every_distribution_of_gpu_days_is_understood(written: Any, law: Law) -> None:
    document = changed("workloads.w.duration", None)
    document["workloads"]["w"]["gpu_days"] = written
    assert from_document(document).workloads["w"].gpu_days == law


@pytest.mark.parametrize(
    ("written", "law"),
    [
        ("2 h", Constant(value=2 * H)),
        ("0 s", Constant(value=0.0)),
        ({"p50": "2 h", "p99": "3 d"}, Lognormal(p50=2 * H, p99=72 * H)),
        ({"dist": "weibull", "shape": 2, "scale": "1 h"}, Weibull(shape=2.0, scale=H)),
        (
            {"mixture": [{"weight": 1, "constant": "1 h"}]},
            Mixture(parts=((1.0, Constant(value=H)),)),
        ),
    ],
)
def test_distributions_of_durations_are_in_milliseconds(written: Any, law: Law) -> None:
    assert with_value("workloads.w.duration", written).workloads["w"].duration == law


def test_an_empirical_law_names_its_file_and_the_factor_to_house_units(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("t\n1\n")
    document = changed("workloads.w.duration", {"file": "sizes.csv", "column": "t", "unit": "min"})
    law = from_document(document, folder=tmp_path).workloads["w"].duration
    assert isinstance(law, Empirical)
    assert (law.path, law.column, law.factor) == (tmp_path / "sizes.csv", "t", 60_000.0)


def test_durations_of_a_file_are_seconds_unless_it_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("t\n1\n")
    document = changed("workloads.w.duration", {"file": "sizes.csv", "column": "t"})
    law = from_document(document, folder=tmp_path).workloads["w"].duration
    assert isinstance(law, Empirical)
    assert law.factor == 1000.0


def test_a_catalog_law_stands_for_its_distribution() -> None:
    document = changed("workloads.w.duration", None)
    document["workloads"]["w"]["gpu_days"] = "production-training"
    law = from_document(document).workloads["w"].gpu_days
    assert law == Lognormal(p50=2.96, p99=125.0)


def test_a_catalog_node_is_filled_in_with_its_source() -> None:
    scenario = with_value("clusters.c.node", "hgx-a100")
    assert scenario.nodes["hgx-a100"].busy_power_w == 5400.0
    assert "catalog" in scenario.nodes["hgx-a100"].source
    assert scenario.origins["nodes.hgx-a100.busy_power"] == "catalog"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"process": "regular", "every": "10 min"}, {"every_ms": 600_000.0}),
        ({"process": "poisson", "rate": "0 per d"}, {"rate_per_ms": 0.0}),
        (
            {"process": "diurnal", "rate": "24 per d"},
            {
                "rate_per_ms": 24 / MS_PER_D,
                "peak_hour": 15.0,
                "peak_to_trough": 2.0,
                "weekend": 1.0,
                "time_zone": "UTC",
            },
        ),
    ],
)
def test_every_arrival_process_is_understood(written: Any, expected: dict[str, Any]) -> None:
    arrivals = with_value("workloads.w.arrivals", written).workloads["w"].arrivals
    assert arrivals.process == written["process"]
    assert arrivals.model_dump() == expected


def test_weights_of_gpus_are_scaled_and_equal_by_default() -> None:
    weighted = with_value("workloads.w.gpus", {"choices": [1, 8], "weights": [3, 1]})
    assert weighted.workloads["w"].gpus.weights == (0.75, 0.25)
    equal = with_value("workloads.w.gpus", {"choices": [1, 8]})
    assert equal.workloads["w"].gpus.weights == (0.5, 0.5)
    assert with_value("workloads.w.gpus", 8).workloads["w"].gpus.choices == (8,)


def test_a_grid_file_keeps_its_columns_filters_and_stamp(tmp_path: Path) -> None:
    (tmp_path / "grid.csv").write_text("time,g\n")
    average = {
        "file": "grid.csv",
        "time": "time",
        "value": "g",
        "unit": "kg/MWh",
        "where": {"region": "CISO", "year": 2022, "ok": True},
        "stamp": "end",
        "time_zone": "America/Los_Angeles",
    }
    document = changed("sites.s.grid", {"average": average, "gaps": "linear", "after_end": "wrap"})
    grid = from_document(document, folder=tmp_path).sites["s"].grid
    assert isinstance(grid.average, GridFile)
    assert grid.average.where == {"region": "CISO", "year": "2022", "ok": "true"}
    assert (grid.average.path, grid.average.text) == (tmp_path / "grid.csv", "grid.csv")
    assert (grid.average.unit, grid.average.stamp) == ("kg/MWh", "end")
    assert (grid.gaps, grid.after_end) == ("linear", "wrap")


def test_powers_of_entering_and_waking_are_the_idle_power_unless_said() -> None:
    wake_time = {"p50": "1 min", "p99": "2 min"}
    sleep = {"name": "sleep", "after": "5 min", "power": "100 W", "wake_time": wake_time}
    (state,) = with_value("nodes.n.idle_states", [sleep]).nodes["n"].idle_states
    assert (state.enter_power_w, state.wake_power_w, state.enter_time_ms) == (1000.0, 1000.0, 0)
    assert state.wake_time == Lognormal(p50=60_000.0, p99=120_000.0)


def test_a_queue_may_be_a_table() -> None:
    assert with_value("clusters.c.queue", {"policy": "fifo"}).clusters["c"].queue == Scheduling()


@pytest.mark.parametrize(
    "start", ["2022-01-01T02:00:00+02:00", "2021-12-31T16:00:00-08:00", "2022-01-01T00:00:00Z"]
)
def test_a_start_in_any_zone_becomes_utc(start: str) -> None:
    scenario = with_value("start", start)
    assert scenario.start == dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    assert scenario.start.tzinfo is dt.UTC


def test_times_are_rounded_to_the_nearest_millisecond() -> None:
    assert with_value("horizon", "1.0006 s").horizon_ms == 1001


def test_a_scenario_without_workloads_only_idles() -> None:
    assert from_document(changed("workloads", None)).workloads == {}


def test_only_node_types_that_clusters_use_are_kept() -> None:
    document = changed("nodes.unused", SMALL["nodes"]["n"])
    scenario = from_document(document)
    assert list(scenario.nodes) == ["n"]
    assert scenario.warnings == ("nodes.unused: no cluster uses this node type",)


@pytest.mark.parametrize(
    ("path", "value", "warning"),
    [
        ("nodes.n.busy_power", "5 MW", "nodes.n.busy_power: 625 kW per accelerator is outside"),
        ("sites.s.pue", 12, "sites.s.pue: 12 is far above any usual PUE"),
        ("sites.s.grid.average", {"constant": "0.4 g/kWh"}, "0.4 g/kWh is outside 5 to 2000"),
        ("sites.s.grid.marginal", {"constant": "-9 g/kWh"}, "-9 g/kWh is negative"),
        ("workloads.w.gpus", {"choices": [8, 64]}, "jobs of 64 accelerators fit in none"),
        ("accounting", {"scope2": ["market-based"]}, "totals stand on the location-based method"),
    ],
)
def test_what_is_odd_but_allowed_is_warned_of(path: str, value: Any, warning: str) -> None:
    (found,) = with_value(path, value).warnings
    assert warning in found


def test_waking_longer_than_the_run_is_warned_of_where_somebody_wrote_it_or_takes_it() -> None:
    slow = {"power": "1 W", "wake_time": "11 h"}
    states = [{"name": "nap", "after": "1 s", **slow}, {"name": "off", "after": "30 d", **slow}]
    document = changed("nodes.n.idle_states", states)
    said = "nodes.n.idle_states[{}].wake_time: waking takes longer (11 h) than the whole run"
    assert from_document(document).warnings == (said.format(0), said.format(1))
    for idle, taken in (
        ("ladder", [0, 1]),
        ({"policy": "peak", "nodes": 1}, [0, 1]),
        ({"policy": "timeout", "after": "30 d"}, [1]),
        ({"policy": "capacity-planner", "most": 9, "sleep": False}, [0, 1]),
    ):
        document["clusters"]["c"]["idle"] = idle
        document["clusters"]["d"] = document["clusters"]["c"]
        late = [text for text in from_document(document).warnings if "takes longer" in text]
        assert late == [said.format(index) for index in taken]


def test_models_are_frozen() -> None:
    with pytest.raises(pydantic.ValidationError):
        from_document(SMALL).seed = 3  # type: ignore[misc]


def test_from_python_models_take_house_units() -> None:
    assert GridConstant(g_per_kwh=100.0).g_per_kwh == 100.0
    assert Lognormal(p50=1.0, p99=2.0).kind == "lognormal"


def test_importing_scenarios_is_light() -> None:
    code = (
        "import sys, simulator.scenario\n"
        "heavy = {'numpy', 'pandas', 'numba', 'pyarrow', 'simpy', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_example_is_the_same_from_text_and_from_its_document(contract: Scenario) -> None:
    document = tomllib.loads(CONTRACT)
    again = from_document(document, folder=contract.folder)
    assert again.canonical() == contract.canonical()


def test_unlike_accelerators_of_one_speed_are_warned_of() -> None:
    document = copy.deepcopy(SMALL)
    node = document["nodes"]["n"]
    document["nodes"] = {
        "old": node | {"accelerator": "a100"},
        "new": node | {"accelerator": "h100"},
    }
    document["clusters"] = {
        "a": document["clusters"]["c"] | {"node": "old"},
        "b": document["clusters"]["c"] | {"node": "new"},
    }
    work = document["workloads"]["w"]
    work |= {"clusters": ["a", "b"], "gpu_days": 1.0}
    del work["duration"]
    (warning,) = from_document(document).warnings
    assert "a GPU-day counts alike on a100 and h100" in warning
    document["nodes"]["new"]["relative_speed"] = 2.0
    assert from_document(document).warnings == ()
