"""The unit of a quantity is in its name, or the name is on the list of those that have none."""

import ast
from functools import cache
from pathlib import Path

import pytest

import simulator
from simulator import columns

PACKAGE = Path(simulator.__file__).parent
CHECKOUT = PACKAGE.parent

SUFFIXES = (
    "_ms", "_s", "_h", "_d", "_per_ms", "_w", "_kw", "_mw", "_j", "_kwh", "_g", "_kg",
    "_gco2e", "_kgco2e", "_g_per_kwh", "_per_gpu_hour", "_per_node_day", "_gpu_days", "_gpus",
    "_bytes", "_mib", "_in", "_pt", "_px", "_l", "_l_per_kwh", "_degc",
    "_cm2", "_gb",
)  # fmt: skip
WORDS = ("gpu_days", "gpu_hours", "bytes", "days", "hours", "kg", "kwh")
"""Units that are words of their own, at the beginning of a name."""

UNITLESS: dict[str, str] = {
    # shares of 1 and ratios
    "abatement": "share of gases, of 1",
    "accelerators": "relative speed of each, 1 where it goes by the node",
    "fraction": "part of one accelerator",
    "capacity": "figures by key, each with its unit in its name",
    "goodput": "work kept over work done",
    "alpha": "weight of the newest sample",
    "beta": "weight of the newest sample",
    "gamma": "weight of the newest sample",
    "base": "in the unit of the law",
    "busy": "accelerators held x utilisation",
    "change": "relative to the baseline",
    "amount": "of money, the currency beside it",
    "amounts": "of money, in the currency of the scenario",
    "borne": "kWh of facility energy over kWh of IT energy",
    "bought": "kWh, or nodes",
    "by_bin": "in the unit of the column that it becomes",
    "confidence": "of an interval, of 1",
    "competitive_ratio": "energy over the least possible",
    "cost": "of a place on a page, relative to others",
    "cross_rack_speed": "work per time of gangs that span racks, relative to 1",
    "drawn": "dynamic power, in accelerators at work",
    "error": "of a forecast, over the mean of its signal",
    "load": "share of capacity",
    "loads": "shares of capacity",
    "margin": "relative to the forecast",
    "notes": "each with its unit",
    "per_load": "dynamic power over load",
    "effective": "signals over facility energy, each with its unit",
    "drawn_share": "kWh of the grid over kWh of facility energy",
    "day_before": "intensity, in the unit of the signal",
    "drift": "error of a forecast, in the unit of the signal",
    "idle_share": "idle power over busy power",
    "kept": "of a kWh stored",
    "regained": "of a kWh stored, its inverse",
    "buying": "g for a stored kWh over g/kWh of the grid",
    "selling": "g for a stored kWh over g/kWh of the grid",
    "charge_efficiency": "stored over charged",
    "discharge_efficiency": "given over taken",
    "c_rate": "power over capacity, per hour, as the trade has it",
    "soc": "shares of the capacity",
    "initial": "share of the capacity",
    "constant": "power over capacity",
    "performance_ratio": "power over rated power",
    "full_from": "m/s, as wind speeds are",
    "cut_in": "m/s, as wind speeds are",
    "cut_out": "m/s, as wind speeds are",
    "speeds": "m/s, as wind speeds are",
    "offered_load": "share of capacity",
    "peak_to_trough": "ratio of rates",
    "per_degree": "what 1 degC adds, in the unit of the law",
    "percent": "of 100",
    "percents": "of 100",
    "proportional": "losses over IT energy",
    "pue": "facility energy over IT energy",
    "pue_by_energy": "facility energy over IT energy",
    "pue_over_time": "facility energy over IT energy",
    "ratio": "of powers or energies",
    "relative_speed": "work per time, relative to 1",
    "ratios": "of figures to what they are",
    "share": "of 1",
    "share_of_base": "of 1",
    "slot_busy": "accelerators at work, of each held",
    "slowdown": "time over time alone",
    "overhead": "of the time of a job, of 1",
    "most_utilisation": "sum of shares of 1",
    "share_held": "of 1",
    "pace": "columns of several units, named at their table",
    "laws": "summed utilisations and slowdowns",
    "shares": "of 1",
    "excess": "by how much limits are missed, relative to them",
    "speed": "work per time, relative to 1",
    "stated": "relative speeds that a workload states",
    "exponent": "of a load",
    "exponents": "of a load",
    "begun": "columns of several units, named at their table",
    "level_draw": "dynamic power, relative to that at the cluster's own level",
    "level_speed": "relative to the cluster's own level",
    "own_speed": "relative to the node without a cap",
    "swing": "relative to the mean rate",
    "target": "share of capacity",
    "utilisation": "share of 1",
    "waited_share": "share of jobs",
    "yield_share": "of 1",
    "weights": "relative to one another",
    "weekend": "ratio of rates",
    "worst_ratio": "energy over the least possible",
    # intervals and pictures
    "ends": "in the unit of the axis",
    "freedom": "degrees of a law",
    "half_width": "in the unit of the mean",
    "left": "widths of a panel",
    "level": "of confidence, of 1",
    "least": "in the unit of the number beside it",
    "tolerance": "in the unit of the number beside it, or relative to it",
    "numbers": "in the unit beside them",
    # numbers of laws, each in the unit of the law it belongs to
    "a": "shape of a beta law",
    "b": "shape of a beta law",
    "mean": "in the unit of the law",
    "median": "in the unit of the law",
    "p99": "in the unit of the law",
    "sd": "in the unit of the law",
    "rest": "any quantity times time",
    "shape": "of a Weibull law",
    "samples_ahead": "number of samples",
    "sigma": "of the logarithm",
    "unit": "random numbers, 0 to 1, by point and axis",
    "uniforms": "random numbers, 0 to 1",
    # numbers whose unit stands beside them
    "above": "bound of any number",
    "argument": "of any function",
    "beside": "in the unit of its name",
    "besides": "kilograms, each with what they are of",
    "asked": "in the unit of the axis",
    "average": "g/kWh by site and bin, as its docstring says",
    "below": "bound of any number",
    "bins": "columns of several units, as its docstring says",
    "default": "of any column",
    "base_summary": "columns of several units, by name",
    "bound": "in the unit of the quantity beside it",
    "expected": "arrivals",
    "facts": "numbers of several kinds",
    "flow": "rows of several units, as its docstring says",
    "high": "in the unit of the value beside it",
    "integral": "any quantity times time",
    "low": "in the unit of the value beside it",
    "losses": "any quantities, the smaller the better",
    "marginal": "g/kWh by site and bin, as its docstring says",
    "most": "arrivals, or the bound of a law",
    "nodes": "columns of several units, as its docstring says",
    "number": "any number",
    "one": "any quantity",
    "other": "any quantity",
    "parts": "weights and laws",
    "peak_hour": "hour of the day",
    "profile": "g/kWh by month and hour",
    "rows": "in the units of their columns",
    "scale": "any quantity",
    "signal": "mass per energy by site and bin, as its docstring says",
    "step": "in the unit of the value beside it",
    "size": "of a unit, in that of the values beside it",
    "sums": "columns of several units, by name",
    "traces": "each with its mean in g/kWh",
    "stretches": "rows of several units, as its docstring says",
    "value": "in the unit beside it",
    "values": "in the unit beside them",
    "count": "of anything",
    "x": "in the unit of the axis",
    "y": "in the unit of the axis",
}
"""Names that carry no unit, and why; every other number says its unit in its name."""


def carries_unit(name: str) -> bool:
    plain = name.lstrip("_")
    return f"_{plain}".endswith(SUFFIXES) or any(
        plain == word or plain.startswith(f"{word}_") for word in WORDS
    )


def says_float(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    text = ast.unparse(annotation)
    return "float" in text and "Callable" not in text


@cache
def float_names() -> list[tuple[str, str]]:
    """Return where each float field or parameter is declared, and its name."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if "bundled_files" in path.parts:
            continue
        place = path.relative_to(CHECKOUT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found += [
                    (f"{place}:{item.lineno}", item.target.id)
                    for item in node.body
                    if isinstance(item, ast.AnnAssign)
                    and isinstance(item.target, ast.Name)
                    and says_float(item.annotation)
                ]
            elif isinstance(node, ast.FunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                found += [
                    (f"{place}:{node.lineno}", argument.arg)
                    for argument in arguments
                    if says_float(argument.annotation)
                ]
    return found


def test_floats_carry_their_unit_or_are_known_to_have_none() -> None:
    bare = [
        f"{place} {name}"
        for place, name in float_names()
        if not carries_unit(name) and name not in UNITLESS
    ]
    assert not bare, "\n".join(bare)


def test_no_name_is_excused_that_nothing_uses() -> None:
    assert set(UNITLESS) <= {name for _, name in float_names()}


@pytest.mark.parametrize("table", ["SUMMARY", "JOBS", "HOURLY", "NODES", "SUPPLY"])
def test_columns_carry_their_unit(table: str) -> None:
    for column in getattr(columns, table):
        # Costs are in the currency of the scenario, which no name can say.
        if column.type == "float64" and column.unit not in ("1", "currency"):
            assert carries_unit(column.name), column.name
