"""The carbon of making a node, part by part: worked out, refused, written back, kept."""

import pickle
import tomllib
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.explanation.parts import part_documents, part_lines
from simulator.scenario import Scenario, from_document
from simulator.scenario.embodied import parts_of
from tests.builders import results_of, scenario_document


def with_parts(*parts: dict[str, Any]) -> Scenario:
    return from_document(scenario_document(nodes={"embodied": {"parts": list(parts)}}))


DIE = {"part": "gpu-die", "area": "826 mm2", "process": "7 nm"}


@pytest.mark.parametrize(
    ("keys", "kg"),
    [
        # (583 g/kWh x 2.15 kWh/cm2 + gas + 500) / 0.875 x 8.26 cm2
        ({}, 8.26 * (583 * 2.15 + 275 + 500) / 0.875 / 1000),
        ({"abatement": 0.95}, 8.26 * (583 * 2.15 + 350 + 500) / 0.875 / 1000),
        ({"abatement": 0.99}, 8.26 * (583 * 2.15 + 200 + 500) / 0.875 / 1000),
        ({"yield": 0.5, "fab_intensity": "24 g/kWh"}, 8.26 * (24 * 2.15 + 775) / 0.5 / 1000),
        ({"process": "14nm"}, 8.26 * (583 * 1.2 + 162.5 + 500) / 0.875 / 1000),
    ],
)
def test_a_die_is_area_times_carbon_per_area(keys: dict[str, Any], kg: float) -> None:
    node = with_parts({**DIE, **keys}).nodes["n"]
    assert node.embodied_kg == pytest.approx(kg, rel=1e-12)


def test_the_largest_die_of_its_process_is_the_published_19_kg() -> None:
    assert with_parts(DIE).nodes["n"].embodied_kg == pytest.approx(19, abs=0.5)


@pytest.mark.parametrize(
    ("part", "kg"),
    [
        ({"part": "dram", "capacity": "2 TB"}, 2000 * 0.065),
        ({"part": "dram", "capacity": "512 GB", "technology": "lpddr4"}, 512 * 0.048),
        ({"part": "ssd", "capacity": "30 TB", "technology": "nand-10nm"}, 30_000 * 0.010),
        ({"part": "hdd", "capacity": "16 TB", "technology": "exosx16"}, 16_000 * 0.001334),
        ({"part": "package", "count": 40}, 40 * 0.15),
        ({"part": "board", "area": "0.25 m2"}, 0.25 * 0.91),
        ({"part": "board", "area": "2500 cm2", "technology": "2-layers"}, 0.25 * 0.41),
        ({"part": "gpu-system"}, 2000.0),
        ({"part": "host", "embodied": "0.8 t", "count": 2}, 1600.0),
    ],
)
def test_other_parts_are_a_factor_times_a_measure(part: dict[str, Any], kg: float) -> None:
    assert with_parts(part).nodes["n"].embodied_kg == pytest.approx(kg, rel=1e-12)


def test_a_server_of_the_tool_behind_the_factors_comes_out_alike() -> None:
    """Two dies of 6.98 cm2 in 28 nm on coal, 12 x 36 GB DDR3, as its Dell R740 has them."""
    scenario = with_parts(
        {
            "part": "cpu-die",
            "area": "698 mm2",
            "process": "28 nm",
            "fab_intensity": "820 g/kWh",
            "abatement": 0.95,
            "count": 2,
        },
        {"part": "dram", "capacity": "36 GB", "technology": "ddr3-50nm", "count": 12},
        {"part": "package", "count": 2 + 12 * 19},
    )
    cpu, dram, package = parts_of(scenario.nodes["n"].embodied_kg)
    assert cpu.total_kg == pytest.approx(2 * 6.98 * (820 * 0.9 + 175 + 500) / 0.875 / 1000)
    assert dram.total_kg == pytest.approx(12 * 36 * 0.6, rel=1e-12)
    assert package.total_kg == pytest.approx(230 * 0.15, rel=1e-12)


PARTS = (
    {**DIE, "count": 8},
    {"part": "dram", "capacity": "2 TB"},
    {"part": "host", "embodied": "800 kg"},
)


def test_parts_survive_being_written_read_and_sent() -> None:
    scenario = with_parts(*PARTS)
    again = from_document(tomllib.loads(scenario.to_toml()))
    sent = pickle.loads(pickle.dumps(scenario))
    for other in (again, sent, scenario.with_seed(scenario.seed)):
        assert other.key_text() == scenario.key_text()
        assert parts_of(other.nodes["n"].embodied_kg) == parts_of(scenario.nodes["n"].embodied_kg)


def test_parts_and_the_figure_they_sum_to_run_alike_under_keys_of_their_own() -> None:
    scenario = with_parts(*PARTS)
    kg = float(scenario.nodes["n"].embodied_kg)
    figure = scenario.replace({"nodes.n.embodied": f"{kg!r} kg"})
    assert parts_of(figure.nodes["n"].embodied_kg) == ()
    assert figure.key_text() != scenario.key_text()
    kg_of = [
        results_of(each.document).summary["scope3_embodied_kgco2e"] for each in (scenario, figure)
    ]
    assert kg_of[0] == pytest.approx(kg_of[1], rel=1e-15)


def test_one_value_of_a_part_can_be_replaced() -> None:
    scenario = with_parts(*PARTS)
    smaller = scenario.replace({"nodes.n.embodied.parts[1].capacity": "1 TB"})
    less_kg = scenario.nodes["n"].embodied_kg - smaller.nodes["n"].embodied_kg
    assert less_kg == pytest.approx(65.0, rel=1e-12)


def test_parts_are_printed_one_by_one_and_add_up() -> None:
    scenario = with_parts(*PARTS)
    text = "\n".join(part_lines(scenario))
    assert max(map(len, text.splitlines())) <= 80
    assert "8 x gpu-die" in text
    assert "2000 GB x 65 g/GB (ddr4-10nm)" in text
    total_kg = sum(each["total_kg"] for each in part_documents(scenario)["n"])
    assert total_kg == pytest.approx(scenario.nodes["n"].embodied_kg, rel=1e-12)
    assert part_documents(from_document(scenario_document())) == {}


def test_every_part_is_an_assumption_with_its_product() -> None:
    results = results_of(with_parts(*PARTS).document)
    rows = {row[1]: row for row in results.assumptions if row[0] == "n"}
    assert rows["embodied: 1 x dram"][2:4] == ("130", "kgCO2e")
    assert "65 g/GB" in rows["embodied: 1 x dram"][4]


def test_all_parts_that_are_wrong_are_named_at_once() -> None:
    bad: list[dict[str, Any]] = [
        {"part": "gpudie"},
        {"part": "dram"},
        {"part": "dram", "capacity": "1 kg"},
        {"part": "ssd", "capacity": "1 TB", "technology": "nand-20"},
        {"part": "die", "process": "6 nm", "area": "3 cm2"},
        {"part": "package", "area": "3 cm2", "yield": 0.3},
        {"part": "die", "process": "7 nm"},
        {"part": "logic"},
        {"part": "package", "technology": "flip-chip"},
        {"part": "dram", "capacity": "1 TB", "embodied": "3 kg"},
        {"part": "host", "embodied": "-3 kg"},
        {"part": "die", "process": "7 nm", "area": "3 cm2", "abatement": 0.5},
    ]
    with pytest.raises(InputError) as refused:
        with_parts(*bad)
    text = str(refused.value)
    for index, key, words in (
        (0, "part", "is not a part of the catalog"),
        (1, "capacity", "missing"),
        (2, "capacity", "is not an amount of storage"),
        (3, "technology", 'did you mean "nand-20nm"?'),
        (4, "process", "is not in the catalog"),
        (5, "yield", "only of a die"),
        (6, "area", "missing"),
        (7, "process", "missing"),
        (8, "technology", "says nothing of"),
        (9, "capacity", "given together with embodied"),
        (10, "embodied", "is negative"),
        (11, "abatement", "from 0.95 to 0.99"),
    ):
        lines = [line for line in text.splitlines() if f"parts[{index}].{key} " in line]
        assert lines, (index, key)
        assert words in lines[0], lines[0]


@pytest.mark.parametrize("parts", [[], "dram", None])
def test_a_table_without_parts_is_refused(parts: object) -> None:
    with pytest.raises(InputError, match=r"nodes\.n\.embodied"):
        from_document(scenario_document(nodes={"embodied": {"parts": parts}}))
