"""What making a node takes, part by part, as people read it on a terminal."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from simulator.explanation.page import wrapped
from simulator.explanation.sums import number
from simulator.scenario.embodied import parts_of
from simulator.scenario.model import Scenario


def part_lines(scenario: Scenario) -> Iterator[str]:
    """Yield the parts of each node type that says any, each with what it is the product of."""
    for name, node in scenario.nodes.items():
        made = parts_of(node.embodied_kg)
        if not made:
            continue
        yield from wrapped(f"{name}: making one node takes {number(node.embodied_kg)} kg", 0)
        labels = [f"{each.count:,} x {each.part}" for each in made]
        width = min(max(map(len, labels)), 24)
        for label, each in zip(labels, made, strict=True):
            start = f"  {label:<{width}}  {number(each.total_kg):>12} kg  "
            how = each.how if each.count == 1 else f"{number(each.each_kg)} kg each, {each.how}"
            first, *more = wrapped(how, len(start))
            yield start + first[len(start) :]
            yield from more
        yield ""


def part_documents(scenario: Scenario) -> dict[str, list[dict[str, Any]]]:
    """Return the same as plain data, by node type; empty where none says parts."""
    return {
        name: [asdict(each) | {"total_kg": each.total_kg} for each in made]
        for name, node in scenario.nodes.items()
        if (made := parts_of(node.embodied_kg))
    }
