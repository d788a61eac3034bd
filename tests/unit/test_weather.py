"""Weather files: what is read, what is filled, and what is refused with its row."""

import os
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.inputs import open_inputs
from simulator.scenario import from_document
from simulator.scenario.weather import WeatherConstant, WeatherFile
from simulator.simulation import run
from simulator.traces.trace import Trace
from simulator.traces.weather import open_weather
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN
from tests.builders import results_of, scenario_document
from tests.trace_files import NEW_YEAR, NEW_YEAR_MS, grid_text, hours, messages, written

PATH = "sites.oregon.weather"
COOLED = {
    "model": "free-cooling",
    "base": 1.07,
    "free_cooling_below": "18 degC",
    "per_degree": 0.012,
}
REAL = "weather/openmeteo_2022_hourly.csv.gz"


def opened(path: Path, *, end_ms: int = 3 * MS_PER_H, **keys: Any) -> Trace:
    said = {
        "text": path.name,
        "path": path,
        "time": "time",
        "value": "ci",
        "unit": "degC",
        "where": {},
        "stamp": "start",
        "time_zone": None,
        "label": None,
        "after_end": "error",
        "gaps": "error",
    }
    source = WeatherFile.model_construct(**{**said, **keys})
    return open_weather(source, start=NEW_YEAR, end_ms=end_ms, path=PATH)


def refused(path: Path, **keys: Any) -> str:
    with pytest.raises(InputError) as caught:
        opened(path, **keys)
    assert {issue.path for issue in caught.value.issues} == {PATH}
    return "\n".join(messages(caught.value))


def weather(path: Path, values: list[object]) -> Path:
    return written(path, grid_text(hours(values)))


def test_a_constant_holds_always() -> None:
    source = WeatherConstant(degc=-3.5)
    trace = open_weather(source, start=NEW_YEAR, end_ms=MS_PER_D, path=PATH)
    assert (trace.grain_ms, trace.covered, trace.label) == (0, None, "constant -3.5 degC")
    assert trace.on_bins(-7, 13, 3).tolist() == [-3.5] * 3


def test_a_file_gives_temperatures_below_zero_and_above(tmp_path: Path) -> None:
    trace = opened(weather(tmp_path / "w.csv", [-12.5, 0, 31.25]))
    assert trace.on_bins(NEW_YEAR_MS, MS_PER_H, 3).tolist() == [-12.5, 0.0, 31.25]
    assert trace.grain_ms == MS_PER_H
    assert trace.warnings == ()
    assert "3 rows of column ci in degC, step 1 h" in trace.note


def test_stamps_at_half_past_make_edges_there(tmp_path: Path) -> None:
    rows = ["2021-12-31T23:30:00Z,20", "2022-01-01T00:30:00Z,22", "2022-01-01T01:30:00Z,24"]
    trace = opened(written(tmp_path / "w.csv", grid_text(rows)), end_ms=2 * MS_PER_H)
    assert trace.grain_ms == 30 * MS_PER_MIN
    assert trace.on_bins(NEW_YEAR_MS, 30 * MS_PER_MIN, 4).tolist() == [20.0, 22.0, 22.0, 24.0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([284.2, 283.9, 283.1], "284.2 degC in rows 2, 3 and 4, outside -90 to 60 degC"),
        ([8, -999, 7], "-999 degC in row 3"),
        ([8, "x", 7], "ci is not a number in row 3"),
        (["", "", ""], "no row holds a value"),
        ([8, "", 7], 'no value in row 3; fill with gaps = "linear" or "previous-week"'),
        ([8, 7], 'shorten the horizon, or set after_end = "wrap" or "hold"'),
    ],
)
def test_values_that_are_none_are_refused(tmp_path: Path, values: list[Any], said: str) -> None:
    assert said in refused(weather(tmp_path / "w.csv", values))


def test_the_ends_of_the_range_are_inside(tmp_path: Path) -> None:
    trace = opened(weather(tmp_path / "w.csv", [-90, 60, 0]))
    assert trace.on_bins(NEW_YEAR_MS, MS_PER_H, 2).tolist() == [-90.0, 60.0]


def test_gaps_and_the_end_are_filled_where_the_scenario_says_how(tmp_path: Path) -> None:
    path = weather(tmp_path / "w.csv", [8, "", 4])
    filled = opened(path, gaps="linear")
    assert filled.on_bins(NEW_YEAR_MS, MS_PER_H, 3).tolist() == [8.0, 6.0, 4.0]
    (warning,) = filled.warnings
    assert warning == (
        f'{PATH}: w.csv: filled by gaps = "linear": 1 step of 1 h from 2022-01-01T01:00Z to '
        "2022-01-01T02:00Z"
    )
    held = opened(path, gaps="linear", after_end="hold", end_ms=5 * MS_PER_H)
    assert held.on_bins(NEW_YEAR_MS, MS_PER_H, 5).tolist() == [8.0, 6.0, 4.0, 4.0, 4.0]
    again = opened(path, gaps="linear", after_end="wrap", end_ms=5 * MS_PER_H)
    assert again.on_bins(NEW_YEAR_MS, MS_PER_H, 5).tolist() == [8.0, 6.0, 4.0, 8.0, 6.0]


def weather_document(path: Path, **keys: Any) -> dict[str, Any]:
    source = {"file": str(path), "time": "time", "value": "ci", "unit": "degC"}
    return scenario_document(
        **{"horizon": "3 h", "sites__s__pue": COOLED, "sites__s__weather": source, **keys}
    )


def test_the_content_of_a_weather_file_is_part_of_the_key_and_its_bytes_of_the_inputs(
    tmp_path: Path,
) -> None:
    one = results_of(weather_document(weather(tmp_path / "w.csv", [8, 7, 6])))
    two = results_of(weather_document(weather(tmp_path / "w.csv", [8, 7, 6.5])))
    same = results_of(weather_document(weather(tmp_path / "other.csv", [8, 7, 6])))
    assert one.key == same.key != two.key
    ((name, digest),) = one.inputs
    assert name == str(tmp_path / "w.csv")
    assert len(digest) == 64
    assert digest == same.inputs[0][1] != two.inputs[0][1]


def test_a_weather_that_nothing_uses_is_a_warning_and_is_not_read(tmp_path: Path) -> None:
    path = weather(tmp_path / "w.csv", ["nonsense"])
    results = results_of(weather_document(path, sites__s__pue=1.1))
    assert results.warnings == (
        "sites.s.weather: nothing at this site depends on the outside temperature; it is not read",
    )
    assert results.inputs == ()


def test_problems_of_grid_and_weather_are_told_together(tmp_path: Path) -> None:
    path = weather(tmp_path / "w.csv", [400, 401, 402])
    grid = {"file": str(path), "time": "time", "value": "ci", "unit": "g/kWh"}
    document = weather_document(path, horizon="4 h", sites__s__grid={"average": grid})
    with pytest.raises(InputError) as caught:
        open_inputs(from_document(document))
    assert [issue.path for issue in sorted(caught.value.issues)] == [
        "sites.s.grid.average",
        "sites.s.weather",
        "sites.s.weather",
    ]


def test_a_run_that_drains_past_its_weather_says_what_to_set(tmp_path: Path) -> None:
    document = weather_document(weather(tmp_path / "w.csv", [8, 7, 6]), drain=True) | {
        "workloads": {
            "w": {
                "clusters": ["c"],
                "arrivals": {"process": "regular", "every": "2 h"},
                "duration": "3 h",
                "gpus": 8,
            }
        }
    }
    with pytest.raises(InputError, match=r'sites\.s\.weather .*after_end = "wrap" or "hold"'):
        results_of(document)


@pytest.mark.skipif(
    not (Path(os.environ.get("FLEETSIM_DATA", "")) / REAL).is_file(),
    reason=f"{REAL} is not under FLEETSIM_DATA; docs/data.md says where anyone gets it",
)
@pytest.mark.parametrize(
    ("region", "bin_ms", "hot"),
    [("US-CAL-CISO", MS_PER_H, False), ("IN-WE", 30 * MS_PER_MIN, True)],
)
def test_a_real_year_of_weather_is_read(region: str, bin_ms: int, hot: bool) -> None:
    """San Jose is cool for most of the year and Mumbai is not; its stamps lie at half past."""
    source = {
        "file": f"data:{REAL}",
        "time": "timestamp_utc",
        "value": "temp_c",
        "unit": "degC",
        "where": {"region": region},
        "label": f"{region} 2022, weather data by Open-Meteo.com",
    }
    document = scenario_document(
        start="2022-01-02T00:00:00Z",
        horizon="362 d",
        sites__s__pue=COOLED | {"most": 1.4},
        sites__s__weather=source,
    )
    done = run(from_document(document))
    assert done.metered.grid.bin_ms == bin_ms
    said = {quantity: value for _, quantity, value, _, _ in done.results.assumptions}
    assert (1.15 < done.results.summary["pue"] < 1.25) == hot
    assert (1.07 < done.results.summary["pue"] < 1.10) != hot
    assert float(said["PUE, mean over time"]) == pytest.approx(
        done.results.summary["pue"], rel=1e-3
    )
