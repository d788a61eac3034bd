"""What a scenario may not say, beyond the gallery of mistakes."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError, Issue
from simulator.scenario import from_document, load
from tests.unit.scenario_documents import SMALL, changed, problems


@pytest.mark.parametrize(
    ("path", "value", "below", "said"),
    [
        ("seed", True, "", "true is not a whole number"),
        ("seed", 2**63, "", "is out of range"),
        ("horizon", 10, "", "10 is not a time; write it with a unit"),
        ("drain", "yes", "", '"yes" is neither true nor false'),
        ("clusters.c.count", 1.0, "", "write it without a point: 1"),
        ("clusters.c.count", 0, "", "from 1 to 1048576"),
        ("nodes.n.relative_speed", float("inf"), "", "not finite"),
        ("nodes.n.relative_speed", 10**400, "", "not finite"),
        ("nodes.n.lifetime", "0 y", "", "above 0"),
        ("nodes.n.load_curve", "cubic", "", 'write "linear"'),
        ("sites.s.pue", "1.1", "", "write a plain number"),
        ("sites.s.pue", 0, "", "at least 1"),
        ("clusters.c.queue", "lifo", "", 'did you mean "fifo"?'),
        ("clusters.c.idle", {"policy": "x"}, ".policy", "not known here; write one of always-on"),
        ("clusters.c.queue", {"policy": "fifo", "depth": 3}, ".depth", "unknown"),
        ("workloads.w.clusters", "c", "", 'write ["c"]'),
        ("workloads.w.clusters", [], "", "not a list of clusters"),
        ("workloads.w.gpus", {"choices": [1, 2], "weights": [1, -1]}, ".weights[1]", "negative"),
        ("workloads.w.max_jobs", 0, "", "from 1"),
        ("workloads.w.duration", 3, "", "3 is not a time"),
        ("workloads.w.duration", {"p50": 3, "p99": "4 h"}, ".p50", "3 is not a time"),
        ("workloads.w.duration", {"p50": "4 h"}, ".p99", "missing; e.g. p99 ="),
        ("workloads.w.duration", {"dist": "beta", "mean": 0.1, "sd": 0.1}, "", "has no unit"),
        ("workloads.w.duration", {"mean": "3 h"}, "", "names no distribution"),
        (
            "workloads.w.utilisation",
            {"dist": "uniform", "low": 0.5, "high": 1.5},
            ".high",
            "at most 1",
        ),
        ("workloads.w.utilisation", "half", "", "not a number"),
        ("workloads.w.arrivals", {"process": "regular", "every": "0 s"}, ".every", "above 0"),
        (
            "workloads.w.arrivals",
            {"process": "diurnal", "rate": "1 per d", "peak_hour": 24},
            ".peak_hour",
            "at least 0 and below 24",
        ),
        ("workloads.w.arrivals", {"rate": "1 per d"}, "", "process is missing"),
        ("accounting.functional_unit", "job", "", 'write "gpu-hour"'),
        ("accounting", 3, "", "3 is not a table"),
        ("name", "", "", "is empty"),
        ("name", "x" * 301, "", "301 characters are too many"),
        ("start", "2022-01-01T00:00:00", "", "has no time zone"),
        ("start", 2022, "", "is not an instant"),
        ("schema", 1.0, "", "made for schema 1.0, this is 1"),
        ("sites", [], "", "write [sites.NAME]"),
        ("clusters", {}, "", "write at least one"),
    ],
)
def test_a_bad_value_is_refused_at_its_path(path: str, value: Any, below: str, said: str) -> None:
    found = problems(changed(path, value))
    assert said in found[path + below]
    assert len(found) == 1


@pytest.mark.parametrize(
    "path", ["name", "start", "horizon", "sites.s.pue", "nodes.n.lifetime", "clusters.c.node"]
)
def test_a_missing_key_is_named_with_an_example(path: str) -> None:
    found = problems(changed(path, None))
    assert found[path].startswith(f"missing; e.g. {path.rpartition('.')[2]} = ")


def test_all_problems_of_all_tables_come_together() -> None:
    document = changed("horizon", "ten hours")
    document["nodes"]["n"]["idle_power"] = "9 kW"
    document["sites"]["s"]["grid"] = {"average": "CISCO"}
    document["clusters"]["c"] |= {"site": "t", "cuont": 4}
    document["workloads"]["w"] |= {
        "gpus": "4",
        "clusters": ["d"],
        "duration": {"p50": "3 h", "p99": "2 h"},
    }
    assert list(problems(document)) == [
        "clusters.c.cuont",
        "clusters.c.site",
        "horizon",
        "nodes.n.busy_power",
        "sites.s.grid.average",
        "workloads.w.clusters[0]",
        "workloads.w.duration",
        "workloads.w.gpus",
    ]  # fmt: skip


def test_a_misspelt_key_is_one_problem_and_not_a_missing_one_too() -> None:
    document = changed("clusters.c.count", None)
    document["clusters"]["c"]["cout"] = 2
    assert problems(document) == {"clusters.c.cout": "unknown key; did you mean 'count'?"}


def test_an_attribute_name_is_no_key_of_a_file() -> None:
    document = changed("nodes.n.idle_power", None)
    document["nodes"]["n"]["idle_power_w"] = 1000.0
    assert problems(document) == {"nodes.n.idle_power_w": "unknown key; did you mean 'idle_power'?"}


def test_a_key_like_no_other_is_answered_with_the_known_ones() -> None:
    found = problems(changed("clusters.c.xyzzy", 1))
    assert found["clusters.c.xyzzy"] == (
        "unknown key; known here are count, idle, max_waking, node, placement, power_budget, "
        "power_level, preemption, queue, racks, sharing, site"
    )


def test_names_that_are_no_bare_keys_are_quoted_in_paths() -> None:
    document = changed("clusters", {"us west.1": SMALL["clusters"]["c"] | {"count": -1}})
    document["workloads"] = {}
    assert list(problems(document)) == ['clusters."us west.1".count']


def test_control_characters_reach_the_terminal_as_escapes() -> None:
    with pytest.raises(InputError) as refused:
        from_document(changed("clusters.c\x1b[31m\nfake", {"site": "s"}))
    assert "\x1b" not in str(refused.value)
    assert all(line.startswith("  ") for line in str(refused.value).splitlines()[1:])


def test_long_names_emoji_and_case_only_differences_are_accepted() -> None:
    document = changed("name", "é😀" * 100)
    document["clusters"]["C"] = SMALL["clusters"]["c"]
    assert list(from_document(document).clusters) == ["c", "C"]


def test_braces_in_a_value_come_through_a_message_unchanged() -> None:
    assert '"{text} {0}"' in problems(changed("horizon", "{text} {0}"))["horizon"]


# Files that a scenario names


def grid_file(file: str) -> dict[str, Any]:
    table = {"file": file, "time": "t", "value": "v", "unit": "g/kWh"}
    return changed("sites.s.grid", {"average": table})


AVERAGE_FILE = "sites.s.grid.average.file"


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is no regular file" in problems(grid_file("pipe.csv"), tmp_path)[AVERAGE_FILE]


def test_a_device_is_refused_at_once() -> None:
    assert "is no regular file" in problems(grid_file("/dev/zero"))[AVERAGE_FILE]


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "grid.csv").touch()
    # Root may read every file, so that taking the permission away would not do.
    monkeypatch.setattr("simulator.scenario.files.os.access", lambda path, mode: False)
    assert "may not be read" in problems(grid_file("grid.csv"), tmp_path)[AVERAGE_FILE]


def test_a_missing_file_outside_the_folder_is_shown_as_resolved(tmp_path: Path) -> None:
    found = problems(grid_file("../grid.csv"), tmp_path / "inner")[AVERAGE_FILE]
    assert found.startswith(f'"../grid.csv" does not exist (looked for {tmp_path / "grid.csv"})')


def test_a_data_path_is_looked_for_under_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grid").mkdir()
    (tmp_path / "grid" / "x.csv").touch()
    monkeypatch.setenv("FLEETSIM_DATA", str(tmp_path))
    source = from_document(grid_file("data:grid/x.csv")).sites["s"].grid.average
    assert source.path == tmp_path / "grid" / "x.csv"
    missing = problems(grid_file("data:grid/y.csv"))[AVERAGE_FILE]
    assert f"looked for {tmp_path / 'grid' / 'y.csv'}" in missing
    assert "where anyone gets the file: docs/data.md" in missing


def test_without_a_data_folder_a_data_path_says_where_to_get_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FLEETSIM_DATA", raising=False)
    assert problems(grid_file("data:x.csv"))[AVERAGE_FILE] == (
        '"data:x.csv" lies in the folder that FLEETSIM_DATA names, which is not set; '
        "where anyone gets the file: docs/data.md"
    )


@pytest.mark.parametrize("text", ["data:../secret.csv", "data:a/../../b.csv", "data:/etc/passwd"])
def test_a_data_path_can_not_leave_the_data_folder(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETSIM_DATA", str(tmp_path))
    assert "leaves the data folder" in problems(grid_file(text))[AVERAGE_FILE]


def test_missing_files_are_accepted_where_a_scenario_is_only_looked_at() -> None:
    scenario = from_document(grid_file("data:gone.csv"), check_files=False)
    assert scenario.sites["s"].grid.average.text == "data:gone.csv"


def test_a_job_file_of_unknown_ending_must_say_its_format(tmp_path: Path) -> None:
    (tmp_path / "jobs.dat").touch()
    jobs: dict[str, Any] = {"clusters": ["c"], "jobs": {"file": "jobs.dat"}}
    found = problems(changed("workloads.w", jobs), tmp_path)
    assert found["workloads.w.jobs.format"].startswith("missing, and the ending")
    jobs["jobs"]["format"] = "parquet"
    read = from_document(changed("workloads.w", jobs), folder=tmp_path).workloads["w"].jobs
    assert read.format == "parquet"


def test_keys_of_jobs_that_the_format_does_not_take_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.swf").touch()
    jobs = {"file": "x.swf", "columns": {"gpus": "n"}, "time_zone": "Nowhere"}
    keys = {"clusters": ["c"], "jobs": jobs | {"processors_per_accelerator": 0}}
    found = problems(changed("workloads.w", keys), tmp_path)
    at = "workloads.w.jobs"
    assert found[f"{at}.columns"] == 'not for format = "swf"; it is for csv, parquet'
    assert "is not a time zone" in found[f"{at}.time_zone"]
    assert "0 is out of range" in found[f"{at}.processors_per_accelerator"]


def test_a_trace_of_several_files_must_be_converted_first(tmp_path: Path) -> None:
    (tmp_path / "pai_job_table.csv").touch()
    jobs = {"file": "pai_job_table.csv", "format": "alibaba-gpu-2020"}
    found = problems(changed("workloads.w", {"clusters": ["c"], "jobs": jobs}), tmp_path)
    said = found["workloads.w.jobs.format"]
    assert "fleetsim traces convert --from alibaba-gpu-2020 FILE -o jobs.csv.gz" in said


def test_a_format_may_be_told_by_the_ending(tmp_path: Path) -> None:
    (tmp_path / "X.SWF.gz").touch()
    jobs = {"file": "X.SWF.gz", "processors_per_accelerator": 8}
    keys = changed("workloads.w", {"clusters": ["c"], "jobs": jobs})
    read = from_document(keys, folder=tmp_path).workloads["w"].jobs
    assert (read.format, read.processors_per_accelerator) == ("swf", 8)


# Files that are no scenario


def refused(path: Path) -> tuple[Issue, ...]:
    with pytest.raises(InputError) as error:
        load(path)
    return error.value.issues


@pytest.mark.parametrize("ending", [".yaml", ".yml", ".json", ".pkl", ".JSON"])
def test_a_file_of_another_format_is_told_the_one_wanted(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scenario{ending}"
    path.write_text("{}")
    assert refused(path)[0].message == f"a {ending} file; scenarios are TOML files, NAME.toml"


def test_a_missing_scenario_is_answered_with_a_near_name(tmp_path: Path) -> None:
    (tmp_path / "hello.toml").touch()
    message = refused(tmp_path / "helo.toml")[0].message
    assert message == f"no such file; did you mean {tmp_path / 'hello.toml'}?"


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    assert refused(tmp_path)[0].message == "a folder; name a scenario file, NAME.toml"


def test_a_fifo_is_no_scenario(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    assert refused(tmp_path / "pipe.toml")[0].message.startswith("no regular file")


def test_a_hundred_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    before = time.process_time()
    assert refused(path)[0].message.startswith("100 MB is too large for a scenario, at most 10 MB")
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 10_000 + "]" * 10_000,
        "a = " + "{ b = " * 10_000 + "1" + " }" * 10_000,
        "[" + ".".join("a" * 10_000) + "]\nb = 1",
        ".".join("a" * 10_000) + " = 1",
        "a = { " + ".".join("b" * 10_000) + " = 1 }",
    ],
)
def test_ten_thousand_levels_are_refused_within_a_second(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(text)
    before = time.process_time()
    assert refused(path)[0].message.startswith("nested more than 32 deep")
    assert time.process_time() - before < 1


def test_a_number_of_ten_thousand_digits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "digits.toml"
    path.write_text("schema = " + "9" * 10_000)
    assert refused(path)[0].message.startswith("not TOML")


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"\x80\x04\x95pickle", b"\x00\x01"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes.toml"
    path.write_bytes(content)
    assert len(refused(path)) == 1


def test_crlf_tabs_byte_order_mark_and_trailing_spaces_are_accepted(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "scenarios" / "hello.toml"
    text = shipped.read_text(encoding="utf-8").replace(" = ", "\t=\t").replace("\n", " \r\n")
    (tmp_path / "hello.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load(tmp_path / "hello.toml").canonical() == load(shipped).canonical()


def test_more_entries_than_can_be_numbered_are_refused() -> None:
    one = SMALL["clusters"]["c"] | {"count": 1}
    clusters = {f"c{number}": one for number in range(10_001)} | {"c": one}
    assert "10,002 entries are too many" in problems(changed("clusters", clusters))["clusters"]
