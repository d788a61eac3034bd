"""The catalog: every number has a unit, a source and a year, and says what it claims to say."""

import csv
import math
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from simulator import catalog
from simulator.power.break_even import ladder_of
from simulator.scenario import from_document
from simulator.scenario.law_moments import mean
from simulator.scenario.nodes import NodeType
from simulator.units import DIMENSIONS, H_PER_D, MEASURES, MS_PER_S, parse_quantity
from tests.builders import scenario_document
from tests.trace_files import NEW_YEAR, opened

EIA_GRIDS = ["CISO", "PJM", "ERCO", "MISO", "BPAT", "NYIS", "SOCO"]
MARGINAL_GRIDS = ["CAISO", "CAISO_PGE", "CAISO_SCE"]
NODE_DIMENSIONS = {
    "idle_power": "power",
    "busy_power": "power",
    "embodied": "mass",
    "lifetime": "time",
}
Z99 = 2.3263478740408408
"""The 99th percentile of the standard normal law."""

PLAIN_UNITS = {
    "accelerators",
    "slots",
    "share",
    "share of jobs",
    "GPU-days",
    "of full speed",
    "kWh/cm2",
    "g/cm2",
    "g/GB",
    "kg/m2",
}


def raw_numbers(value: object, key: str = "") -> list[str]:
    """Return the keys of numbers that stand alone, without unit and source."""
    if isinstance(value, dict):
        if "value" in value:
            return []
        return [found for name, item in value.items() for found in raw_numbers(item, name)]
    if isinstance(value, list):
        return [found for item in value for found in raw_numbers(item, key)]
    return [key] if isinstance(value, int | float) else []


def test_every_number_has_a_unit_a_source_and_a_year() -> None:
    figures = catalog.entries()
    assert len(figures) > 60
    for figure in figures:
        assert figure.unit in PLAIN_UNITS.union(*DIMENSIONS.values(), *MEASURES.values()), figure
        assert len(figure.source) > 20, figure
        assert 1990 < figure.year < 2100, figure
        assert math.isfinite(figure.value), figure


@pytest.mark.parametrize("kind", catalog.KINDS)
def test_no_number_stands_outside_a_figure(kind: str) -> None:
    for name in catalog.names(kind):
        assert raw_numbers(catalog.entry(name)[1]) == [], name


def test_every_assumption_has_a_range_around_its_value() -> None:
    assumed = [figure for figure in catalog.entries() if figure.assumption]
    assert assumed
    for figure in assumed:
        assert figure.low is not None, figure
        assert figure.high is not None, figure
        assert figure.low <= figure.value <= figure.high, figure


def test_tables_carried_over_name_their_licence() -> None:
    for name in catalog.names("grids"):
        assert catalog.grid(name)["licence"], name
        assert catalog.grid(name)["caveats"], name


def test_names_are_unique_through_all_kinds() -> None:
    names = [name for kind in catalog.KINDS for name in catalog.names(kind)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", catalog.names("nodes"))
def test_a_node_reads_as_a_table_of_a_scenario(name: str) -> None:
    table = catalog.node(name)
    known = {field.alias or key for key, field in NodeType.model_fields.items()}
    assert set(table) <= known
    quantities = {key: parse_quantity(table[key], dim) for key, dim in NODE_DIMENSIONS.items()}
    assert 0 < quantities["idle_power"] < quantities["busy_power"]
    per_accelerator_w = quantities["busy_power"] / table["accelerators"]
    assert 10 <= per_accelerator_w <= 3000
    assert len(table["source"]) <= 300


def test_the_contract_node_has_the_figures_of_the_contract() -> None:
    node = catalog.node("hgx-a100")
    del node["source"]
    sleep, _ = node.pop("idle_states")
    assert sleep == {
        "name": "sleep",
        "after": "15 min",
        "power": "150 W",
        "enter_time": "5 s",
        "wake_time": "2 min",
    }
    assert node == {
        "accelerator": "a100-80g",
        "accelerators": 8,
        "idle_power": "1.4 kW",
        "busy_power": "5.4 kW",
        "embodied": "2500 kg",
        "lifetime": "4 y",
    }


@pytest.mark.parametrize("name", catalog.names("nodes"))
def test_a_node_has_a_ladder_whose_states_pay_where_they_are_entered(name: str) -> None:
    node = from_document(scenario_document(nodes=catalog.node(name))).nodes["n"]
    assert node.idle_states
    powers_w = [node.idle_power_w, *(state.power_w for state in node.idle_states)]
    assert powers_w == sorted(powers_w, reverse=True)
    assert powers_w[-1] > 0
    ladder = ladder_of(node, [mean(state.wake_time) / MS_PER_S for state in node.idle_states])
    afters_s = [state.after_s for state in ladder.states]
    assert afters_s == sorted(set(afters_s))
    for state in ladder.states:
        assert state.best_from_s is not None, state.name
        assert state.after_s >= state.best_from_s == state.pays_from_s, state.name


@pytest.mark.parametrize("name", catalog.names("nodes"))
def test_ranges_are_in_the_unit_of_their_value(name: str) -> None:
    def check(value: object) -> None:
        if isinstance(value, dict) and "value" in value:
            units = {
                str(value[key]).partition(" ")[2]
                for key in ("value", "low", "high")
                if key in value
            }
            assert len(units) == 1, value
        elif isinstance(value, dict | list):
            for part in value.values() if isinstance(value, dict) else value:
                check(part)

    check(catalog.entry(name)[1])


def test_a_law_and_a_list_of_tables_come_through_with_every_figure() -> None:
    sleep, off = catalog.node("dgx-h100")["idle_states"]
    assert (sleep["name"], sleep["wake_time"]) == ("sleep", "2 min")
    assert off["wake_time"] == {"p50": "5 min", "p99": "15 min"}
    keys = {figure.key: figure for figure in catalog.entries("dgx-h100")}
    assert keys["idle_states[off].wake_time.p99"].value == 15.0
    assert keys["idle_states[off].wake_time.p99"].unit == "min"
    assert keys["idle_states[sleep].power"].assumption


def test_the_web_server_draws_the_published_watts() -> None:
    node = catalog.node("web-server")
    idle_w, busy_w = (parse_quantity(node[key], "power") for key in ("idle_power", "busy_power"))
    watts = [idle_w + share * (busy_w - idle_w) for _, share in node["load_curve"]["points"]]
    assert watts == pytest.approx([60.0, 130.0, 150.0], abs=0.01)
    loads = [load for load, _ in node["load_curve"]["points"]]
    assert loads == sorted(set(loads))
    assert (loads[0], loads[-1]) == (0.0, 1.0)


def test_the_inference_node_is_six_cards_and_a_host() -> None:
    figures = {figure.key: figure for figure in catalog.entries("inference-6card")}
    assert figures["accelerators"].value == 6
    busy = figures["busy_power"]
    assert busy.low is not None
    assert busy.low < 6 * 15 + 100 == busy.value
    boot = figures["idle_states[off].wake_time"]
    assert (boot.value, boot.unit, boot.year) == (260, "s", 2012)


@pytest.mark.parametrize(
    ("name", "energy", "time"), [("cap-175W", 0.77, 1.067), ("cap-150W", 0.863, 1.068)]
)
def test_power_caps_save_the_published_energy_in_the_published_time(
    name: str, energy: float, time: float
) -> None:
    """Energy ratio = time ratio x power ratio, of jobs that keep the node busy."""
    node = catalog.node("dgx1-v100")
    (level,) = (level for level in node["power_levels"] if level["name"] == name)
    full_w, capped_w = (parse_quantity(table["busy_power"], "power") for table in (node, level))
    assert 1 / level["speed"] == pytest.approx(time, abs=1e-3)
    assert capped_w / full_w / level["speed"] == pytest.approx(energy, abs=2e-3)


def test_philly_servers_add_up_to_its_2490_gpus() -> None:
    eight, two = (catalog.node(f"philly-{gpus}gpu")["accelerators"] for gpus in (8, 2))
    assert 310 * eight + 5 * two == 2490


def test_the_experiments_law_is_the_published_mixture() -> None:
    body, tail = catalog.workload("experiments")["gpu_days"]["mixture"]
    assert (body["weight"], tail["weight"]) == (0.999, 0.001)
    for part, mu, sigma in ((body, 0.403994, 1.172841), (tail, math.log(800), 0.5)):
        assert math.log(part["p50"]) == pytest.approx(mu, rel=1e-14)
        assert math.log(part["p99"] / part["p50"]) / Z99 == pytest.approx(sigma, rel=1e-14)


def test_the_experiments_mixture_keeps_the_published_percentiles_and_mean() -> None:
    from scipy.stats import lognorm

    parts = catalog.workload("experiments")["gpu_days"]["mixture"]

    def below(size: float) -> float:
        laws = [(p["weight"], math.log(p["p99"] / p["p50"]) / Z99, p["p50"]) for p in parts]
        return math.fsum(weight * lognorm.cdf(size, s, scale=scale) for weight, s, scale in laws)

    assert below(1.5) == pytest.approx(0.5, abs=1e-6)
    assert below(24.0) == pytest.approx(0.99, abs=1e-6)
    assert 1 - below(500.0) == pytest.approx(8.3e-4, rel=0.01)
    mean = math.fsum(
        p["weight"] * p["p50"] * math.exp((math.log(p["p99"] / p["p50"]) / Z99) ** 2 / 2)
        for p in parts
    )
    assert mean == pytest.approx(3.883, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "p50", "p99"),
    [("experiments-lognormal", 1.5, 24.0), ("production-training", 2.96, 125.0)],
)
def test_plain_laws_are_the_published_percentiles(name: str, p50: float, p99: float) -> None:
    workload = catalog.workload(name)
    assert workload["gpu_days"] == {"p50": p50, "p99": p99}
    assert "Wu et al." in workload["source"]
    assert workload["year"] == 2022
    assert workload["caveats"]


def test_grids_of_eia_are_averages_and_those_of_sgip_marginal() -> None:
    assert catalog.names("grids") == EIA_GRIDS + MARGINAL_GRIDS
    for name in EIA_GRIDS:
        assert catalog.grid_basis(name) == "average"
        assert catalog.grid(name)["factor"] == "life-cycle"
    for name in MARGINAL_GRIDS:
        assert catalog.grid_basis(name) == "marginal"
        assert catalog.grid(name)["factor"] == "direct"


@pytest.mark.parametrize("name", EIA_GRIDS + MARGINAL_GRIDS)
def test_the_stated_mean_is_the_mean_of_the_profile(name: str) -> None:
    (mean,) = catalog.entries(name)
    profile = catalog.grid(name)["mean_g_per_kwh"]
    assert len(profile) == 288
    assert mean.value == pytest.approx(math.fsum(profile) / 288, abs=0.05)
    assert 0 <= min(profile) <= max(profile) < 1000


def test_caiso_is_the_profile_of_pge() -> None:
    assert catalog.grid("CAISO")["mean_g_per_kwh"] == catalog.grid("CAISO_PGE")["mean_g_per_kwh"]


def test_profiles_hold_each_month_and_hour_once_and_in_order() -> None:
    seen = defaultdict(list)
    text = files("simulator.catalog").joinpath("month_hour_profiles.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        seen[row["region"]].append((int(row["month_utc"]), int(row["hour_utc"])))
        assert float(row["sd_g_per_kwh"]) >= 0
    calendar = [(month, hour) for month in range(1, 13) for hour in range(H_PER_D)]
    assert all(hours == calendar for hours in seen.values())
    assert set(seen) == {*EIA_GRIDS, "CAISO_PGE", "CAISO_SCE"}


@pytest.mark.parametrize("region", EIA_GRIDS)
def test_profiles_are_the_means_of_the_hourly_file(data_folder: Path, region: str) -> None:
    trace = opened(
        data_folder / "grid" / "eia930_2022_hourly.csv.gz",
        time="timestamp_utc",
        value="avg_ci_g_per_kwh",
        where={"region": region, "qc": "ok"},
        stamp="start" if region == "PJM" else "end",
        gaps="linear",
        start=NEW_YEAR,
    )
    values = trace.course.values
    times = trace.covered[0] + 3_600_000 * np.arange(len(values))
    calendar = times.astype("datetime64[ms]")
    month = calendar.astype("datetime64[M]").astype(int) % 12
    hour = calendar.astype("datetime64[h]").astype(int) % H_PER_D
    means = np.array(catalog.grid(region)["mean_g_per_kwh"]).reshape(12, 24)
    ours = np.array(
        [[values[(month == m) & (hour == h)].mean() for h in range(24)] for m in range(12)]
    )
    # Filled hours (at most 28 of 8,760) and the first hour of the year are not in the profile.
    assert np.median(np.abs(ours - means)) < 0.06
    assert np.abs(ours - means).max() < 6.0


def test_parts_are_the_parameters_of_act(data_folder: Path) -> None:
    """Logic, memory, storage and boards, figure by figure."""
    path = data_folder / "hardware" / "act_embodied_parameters.csv"
    published = defaultdict(dict)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            published[row["table"]][row["key"]] = float(row["value"])
    logic = catalog.part("logic")
    tables = {"energy": "epa", "gas-95": "gpa_95", "gas-99": "gpa_99", "materials": "materials"}
    for key, table in tables.items():
        assert {name: each[key] for name, each in logic.items() if name.endswith("nm")} == (
            published[f"logic/{table}"]
        )
    for part, sources in {
        "dram": ["dram/dram_hynix"],
        "ssd": ["ssd/ssd_hynix", "ssd/ssd_seagate", "ssd/ssd_western"],
        "hdd": ["hdd/hdd_enterprise"],
    }.items():
        named = {
            name.replace("_", "-").lower(): value
            for source in sources
            for name, value in published[source].items()
        }
        assert catalog.part(part)["storage"] == named
    layers = {f"{name}-layers": kg for name, kg in published["materials/pcb"].items()}
    assert catalog.part("board")["area"] == {k: v for k, v in layers.items() if "cpla" not in k}


def test_the_server_of_makers_is_the_median_of_their_sheets(data_folder: Path) -> None:
    path = data_folder / "hardware" / "boavizta_datacenter_products.csv"
    with path.open(encoding="utf-8") as file:
        sheets = [
            (row["gwp_total"], row["gwp_manufacturing_ratio"])
            for row in csv.DictReader(file)
            if row["subcategory"] == "Server"
        ]
    made_kg = [float(total) * float(share) for total, share in sheets if total and share]
    (figure,) = catalog.entries("maker-server")
    assert len(made_kg) == 48
    found = (figure.low, figure.value, figure.high)
    assert found == pytest.approx((min(made_kg), np.median(made_kg), max(made_kg)), abs=0.5)


@pytest.mark.parametrize("name", ["dram", "ssd", "hdd", "board"])
def test_the_usual_technology_is_one_that_there_is(name: str) -> None:
    part = catalog.part(name)
    assert part["usual"] in part.get("storage", part.get("area"))


def test_the_published_rule_is_half_for_systems_without_accelerators() -> None:
    figures = {
        name: {figure.key: figure for figure in catalog.entries(name)}
        for name in ("gpu-system", "cpu-system")
    }
    whole, half = (each["piece"].value for each in figures.values())
    assert (whole, half) == (2000.0, 1000.0)
    for each in figures.values():
        lifetime, use = each["lifetime"], each["utilisation"]
        assert (lifetime.low, lifetime.high, lifetime.unit) == (3.0, 5.0, "y")
        assert (use.low, use.high) == (0.3, 0.6)


@pytest.mark.parametrize(
    ("look_up", "wrong", "near"),
    [
        (catalog.node, "hgx-a10", "hgx-a100"),
        (catalog.grid, "ciso", "CISO"),
        (catalog.workload, "experiment", "experiments"),
        (catalog.entry, "PJMM", "PJM"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(look_up, wrong: str, near: str) -> None:
    with pytest.raises(KeyError, match=f"did you mean '{near}'"):
        look_up(wrong)


def test_a_name_near_nothing_is_answered_with_what_there_is() -> None:
    with pytest.raises(catalog.UnknownNameError, match="the catalog holds hgx-a100"):
        catalog.node("zzzzzzzz")


def test_an_entry_cannot_be_changed_from_outside() -> None:
    kind, entry = catalog.entry("hgx-a100")
    entry["idle_power"]["value"] = "1 W"
    assert kind == "nodes"
    assert catalog.node("hgx-a100")["idle_power"] == "1.4 kW"
