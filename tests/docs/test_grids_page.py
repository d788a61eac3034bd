"""The page on grid signals: its policy runs, and its numbers hold."""

import re
from pathlib import Path

import pytest

import simulator as fs
from simulator.registry import provisioning
from simulator.scenario import from_document
from tests.builders import scenario_document

PAGE = (Path(__file__).parents[2] / "docs" / "grids.md").read_text(encoding="utf-8")


def test_the_policy_of_the_page_keeps_nodes_awake_in_clean_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provisioning.names()
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(code, "grids.md", "exec"), {})
    states = [{"name": "off", "after": "0 s", "power": "10 W", "wake_time": "1 ms"}]
    document = scenario_document(
        nodes={"idle_states": states},
        grid={"average": "CISO"},
        horizon="1 d",
        clusters__c__count=4,
        clusters__c__idle={"policy": "clean-hours", "nodes": 4},
    )
    hourly = fs.run(from_document(document)).hourly
    awake = hourly["nodes_awake_mean"] > 2
    assert 6 <= awake.sum() <= 18
    intensity = hourly["intensity_average_g_per_kwh"]
    assert intensity[awake].mean() < intensity[~awake].mean()


def test_the_methods_of_the_page_are_those_that_there_are() -> None:
    from simulator.scenario.grid import FORECASTS

    table = PAGE.split("| method |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)`", table, flags=re.MULTILINE) == FORECASTS
