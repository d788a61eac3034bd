"""Readers of public job traces: ten lines of each format, and what they make of bad ones."""

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.errors import InputError
from simulator.job_formats import format_names, job_format, job_formats
from simulator.traces.glimpse import format_of
from tests.trace_files import jobs_of
from tests.unit import trace_samples as samples
from tests.unit.trace_samples import rows_of, trace_of, written

FOREIGN = sorted(set(job_formats()) - {"csv", "parquet"})


def refused(path: Path, form: str, **options: Any) -> list[str]:
    """Read a file that must be refused; return its messages."""
    with pytest.raises(InputError) as caught:
        trace_of(path, form, **options)
    return [issue.message for issue in caught.value.issues]


# What each sample holds


def test_swf(tmp_path: Path) -> None:
    jobs = trace_of(written(tmp_path, "swf"), "swf").jobs
    assert rows_of(jobs) == [("1", 0, 100, 8), ("3", 20, 60.5, 12), ("5", 40, 0, 1)]
    assert jobs.requested_ms is not None
    assert jobs.requested_ms.tolist() == [200_000, 60_500, 50_000]
    assert jobs.user.to_pylist() == ["7", "9", None]
    assert dict(jobs.dropped) == {
        "part of a job that has a line of its own": 1,
        "no submit time": 1,
        "no run time: it never ran, or nobody noted it": 1,
        "no processors": 1,
    }
    assert "each processor counts as one accelerator" in jobs.notes[0]


def test_swf_counts_accelerators_by_their_processors(tmp_path: Path) -> None:
    jobs = trace_of(written(tmp_path, "swf"), "swf", processors_per_accelerator=8).jobs
    assert jobs.gpus.tolist() == [1, 2, 1]
    assert jobs.notes == ("2 jobs rounded up to whole accelerators",)


def test_swf_says_dates_where_its_header_and_an_origin_do(tmp_path: Path) -> None:
    path = written(tmp_path, "swf")
    begin = dt.datetime.fromtimestamp(1_500_000_010, dt.UTC)
    jobs = jobs_of(path, format="swf", origin=begin)
    assert jobs.submit_ms.tolist() == [10_000, 30_000]
    assert "1 job arrives before the origin and is not simulated" in "\n".join(jobs.warnings)
    path.write_text(samples.SWF.replace("; UnixStartTime", "; Start"), encoding="utf-8")
    with pytest.raises(InputError, match="origin is for timestamps"):
        jobs_of(path, format="swf", origin=begin)


def test_swf_is_read_plain_and_gzipped_alike(tmp_path: Path) -> None:
    plain = written(tmp_path, "swf")
    packed = tmp_path / "log.swf.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert trace_of(packed, "swf").jobs.sha256 == trace_of(plain, "swf").jobs.sha256


def test_philly(tmp_path: Path) -> None:
    trace = trace_of(written(tmp_path, "philly"), "philly")
    assert rows_of(trace.jobs) == [("a_1", 0, 74 + 3600, 4), ("a_4", 1701, 60, 1)]
    # 01:11:39 in Pacific Daylight Time
    assert trace.first_ms == 1_507_363_899_000
    assert trace.jobs.user.to_pylist() == ["u1", "u1"]
    assert dict(trace.jobs.dropped) == {
        "no attempt recorded": 1,
        "still running when the log was taken": 1,
        "no GPU": 1,
    }
    assert "America/Los_Angeles" in trace.jobs.notes[0]
    assert trace.jobs.notes[1].startswith("1 attempt without both times")


def test_philly_takes_the_example_of_its_own_description(tmp_path: Path) -> None:
    gpus = [f"gpu{k}" for k in range(8)]
    times = [
        ("2017-10-07 01:12:09", "2017-10-07 01:13:23"),
        ("2017-10-07 01:13:30", "2017-10-09 06:53:12"),
    ]
    attempts = [
        {"start_time": start, "end_time": end, "detail": [{"ip": "m47", "gpus": gpus}]}
        for start, end in times
    ]
    job = {"jobid": "x", "user": "ce2f4c", "submitted_time": "2017-10-07 01:11:39"}
    path = tmp_path / "cluster_job_log"
    path.write_text(json.dumps([job | {"attempts": attempts}]), encoding="utf-8")
    assert rows_of(trace_of(path, "philly").jobs) == [("x", 0, 74 + 193_182, 8)]


def test_helios(tmp_path: Path) -> None:
    trace = trace_of(written(tmp_path, "helios"), "helios")
    assert rows_of(trace.jobs) == [("11", 0, 100, 1), ("12", 26, 249, 4), ("15", 3719, 0, 16)]
    assert trace.first_ms == 1_591_699_261_000  # 18:41:01 in China is 10:41:01Z
    assert trace.jobs.user.to_pylist() == ["ua", "ub", "uc"]
    assert dict(trace.jobs.dropped) == {"no GPU": 1, "never started": 1}
    other = trace_of(tmp_path / "cluster_log.csv", "helios", time_zone="UTC")
    assert other.first_ms == 1_591_699_261_000 + 8 * 3_600_000
    assert other.jobs.notes == ()


def test_acme_takes_run_times_from_start_and_end(tmp_path: Path) -> None:
    trace = trace_of(written(tmp_path, "acme"), "acme")
    assert rows_of(trace.jobs) == [("dl1", 0, 8, 64), ("dl2", 1664, 70, 8)]
    assert dict(trace.jobs.dropped) == {"no GPU": 1, "never started": 1}


def test_alibaba_2023(tmp_path: Path) -> None:
    trace = trace_of(written(tmp_path, "alibaba-gpu-2023"), "alibaba-gpu-2023")
    assert rows_of(trace.jobs) == [
        ("pod-0", 100, 390, 1), ("pod-1", 200, 60, 1), ("pod-2", 300, 550, 8),
    ]  # fmt: skip
    assert trace.first_ms is None
    assert dict(trace.jobs.dropped) == {"no GPU": 1, "never scheduled": 1}
    assert trace.jobs.notes == (
        "1 pod asked for a part of a GPU; held is a whole one where none is shared",
    )
    assert trace.jobs.fraction is not None
    assert trace.jobs.fraction.tolist() == [1.0, 0.46, 1.0]


def test_alibaba_2020_joins_jobs_with_their_tasks(tmp_path: Path) -> None:
    trace = trace_of(written(tmp_path, "alibaba-gpu-2020"), "alibaba-gpu-2020")
    # j1 holds 2 x 0.5 + 4 GPUs from the first start of a task with GPUs to the last end.
    assert rows_of(trace.jobs) == [("j1", 100, 340, 5), ("j2", 200, 390, 1)]
    assert trace.jobs.user.to_pylist() == ["ua", "ub"]
    assert dict(trace.jobs.dropped) == {
        "no task with a GPU": 1,
        "no task with a GPU started": 1,
        "a task with a GPU has no end_time": 1,
    }
    assert trace.jobs.notes == ("1 job rounded up to whole GPUs",)
    assert [name for name, _ in trace.beside] == ["pai_task_table.csv"]


def test_alibaba_2020_needs_both_tables(tmp_path: Path) -> None:
    path = written(tmp_path, "alibaba-gpu-2020")
    (tmp_path / "pai_task_table.csv").unlink()
    (said,) = refused(path, "alibaba-gpu-2020")
    assert said == "needs pai_task_table.csv in the same folder, which is not there"


def test_batsim(tmp_path: Path) -> None:
    jobs = trace_of(written(tmp_path, "batsim"), "batsim", processors_per_accelerator=8).jobs
    assert rows_of(jobs) == [
        ("w0!1", 0, 20.25, 1), ("w0!2", 10.5, 100, 2), ("w0!3", 20, 121.5, 1),
    ]  # fmt: skip
    assert jobs.requested_ms is not None
    assert jobs.requested_ms.tolist() == [100_000, 100_000, 121_500]
    assert dict(jobs.dropped) == {
        "how long a profile of type composed takes only a platform tells": 1,
        "how long a profile of type parallel_homogeneous takes only a platform tells": 1,
    }
    assert jobs.notes == (
        "2 jobs rounded up to whole accelerators",
        "1 job cut short by the walltime",
    )


def test_batsim_sequences_of_sequences_are_added_up_once(tmp_path: Path) -> None:
    profiles: dict[str, Any] = {"p0": {"type": "delay", "delay": 1}}
    for depth in range(1, 31):
        profiles[f"p{depth}"] = {"type": "composed", "seq": [f"p{depth - 1}"] * 2}
    job = {"id": 1, "subtime": 0, "res": 1, "profile": "p30"}
    path = tmp_path / "w.json"
    path.write_text(json.dumps({"nb_res": 1, "jobs": [job], "profiles": profiles}))
    assert trace_of(path, "batsim").jobs.duration_ms.tolist() == [2**30 * 1000]


def test_opendc(tmp_path: Path) -> None:
    trace = trace_of(written(tmp_path, "opendc"), "opendc", processors_per_accelerator=8)
    assert rows_of(trace.jobs) == [("1", 0, 60, 1), ("2", 60, 90.5, 2)]
    assert trace.first_ms == 1_600_000_000_000
    assert dict(trace.jobs.dropped) == {"no CPU": 1}


def test_opendc_counts_gpus_where_there_are_any_and_knows_older_names(tmp_path: Path) -> None:
    table = samples.opendc_table(gpu_count=pa.array([2, 0, 1], pa.int32()), parents=[[], [1], []])
    times = table["submission_time"].cast(pa.timestamp("ms"))
    names = ["id", "submissionTime", "duration", "maxCores"]
    older = pa.table([table["id"], times, table["duration"], table["cpu_count"]], names=names)
    for name, content in (("new.parquet", table), ("old.parquet", older)):
        pq.write_table(content, tmp_path / name)
    trace = trace_of(tmp_path / "new.parquet", "opendc")
    assert rows_of(trace.jobs) == [("1", 0, 60, 2), ("3", 120, 0, 1)]
    assert dict(trace.jobs.dropped) == {"no GPU": 1}
    assert trace.jobs.notes == ("not read: parents",)
    assert rows_of(trace_of(tmp_path / "old.parquet", "opendc").jobs)[1] == ("2", 60, 90.5, 12)


# What all formats share


def test_formats_are_called_as_their_modules() -> None:
    assert format_names() == tuple(job_formats())


@pytest.mark.parametrize("form", FOREIGN)
def test_every_format_has_a_sample_and_is_told_by_it(tmp_path: Path, form: str) -> None:
    assert format_of(written(tmp_path, form)) == form
    assert len(trace_of(written(tmp_path, form), form).jobs) > 0


@pytest.mark.parametrize("form", FOREIGN)
def test_a_sample_read_as_another_format_is_told_what_it_is(tmp_path: Path, form: str) -> None:
    other = "parquet" if form == "opendc" else "csv"
    said = refused(written(tmp_path, form), other)
    assert said[0] == f'looks like {form}; write format = "{form}"'


@pytest.mark.parametrize("form", sorted({*FOREIGN, "csv"}))
def test_an_empty_file_is_one_problem(tmp_path: Path, form: str) -> None:
    path = tmp_path / "empty"
    path.touch()
    (said,) = refused(path, form)
    assert said.startswith("the file is empty")


@pytest.mark.parametrize("form", sorted({*FOREIGN, "csv"} - {"opendc"}))
def test_a_gzip_cut_short_is_one_problem(tmp_path: Path, form: str) -> None:
    text = written(tmp_path, form).read_bytes() if form in FOREIGN else b"job_id\n"
    path = tmp_path / "short.gz"
    path.write_bytes(gzip.compress(text)[:-9])
    assert refused(path, form)[-1].startswith("the gzip file is broken or cut short")


@pytest.mark.parametrize("form", FOREIGN)
def test_no_file_is_one_problem(tmp_path: Path, form: str) -> None:
    (said,) = refused(tmp_path / "gone", form)
    assert said.startswith("no such file")


def test_readers_of_other_modules_can_not_take_a_name() -> None:
    def swf(file: Any, findings: Any) -> None: ...

    with pytest.raises(ValueError, match='"swf" is registered already'):
        job_format("swf", recognises=lambda _: False)(swf)


# Bad lines


def test_every_malformed_line_of_an_swf_log_is_named(tmp_path: Path) -> None:
    good = " ".join(["1", "0", "5", "100", "8", *["-1"] * 13])
    path = tmp_path / "bad.swf"
    path.write_text(
        f"; header\n{good}\n1 2 3\n{good} 19\n{good.replace('100', 'soon')}\n"
        f"{good.replace('100', 'nan')}\n{good.replace('100', '1e999')}\n",
        encoding="utf-8",
    )
    assert refused(path, "swf") == [
        "row 3 has 3 fields in place of 18",
        "row 4 has 19 fields in place of 18",
        'row 5 field 4 is not a number: "soon"',
        'row 6 field 4 is not a number: "nan"',
        'row 7 field 4 is too large: "1e999"',
        "each row needs 18 numbers, -1 for those that are not known",
    ]


@pytest.mark.parametrize("count", [1, 17, 20, 40])
def test_lines_of_one_wrong_length_are_refused(tmp_path: Path, count: int) -> None:
    path = tmp_path / "bad.swf"
    path.write_text("; header\n" + (" ".join(["1"] * count) + "\n") * 3, encoding="utf-8")
    fields = f"{count} field{'' if count == 1 else 's'}"
    said = refused(path, "swf")
    assert said[:3] == [f"row {row} has {fields} in place of 18" for row in (2, 3, 4)]


def test_of_many_malformed_lines_the_first_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "bad.swf"
    path.write_text("1 2 3\n" * 500, encoding="utf-8")
    said = refused(path, "swf")
    assert len(said) == 12
    assert said[10] == "490 more rows malformed"


def test_impossible_numbers_of_an_swf_log_are_refused_together(tmp_path: Path) -> None:
    lines = [
        "1 -7 0 100 8 -1 -1 8 -1 -1 1 1 1 1 1 1 -1 -1",
        "2 0 0 -100 8 -1 -1 8 -1 -1 1 1 1 1 1 1 -1 -1",
        "3 0 0 100 -8 -1 -1 -8 -1 -1 1 1 1 1 1 1 -1 -1",
        "3 0 0 100 8 -1 -1 8 -1 -1 1 1 1 1 1 1 -1 -1",
    ]
    path = tmp_path / "bad.swf"
    path.write_text("; header\n" + "\n".join(lines), encoding="utf-8")
    said = "\n".join(refused(path, "swf"))
    assert "submit time must not be negative: -7 in row 2" in said
    assert "run time must not be negative: -100 in row 3" in said
    assert "processors must be at least 1: -8 in row 4" in said
    assert 'job number must be unique: "3" stands in rows 4 and 5' in said


@pytest.mark.parametrize(
    ("form", "old", "new", "said"),
    [
        ("helios", ",249,", ",-249,", "duration must not be negative: -249 in row 3"),
        ("helios", ",249,", ",nan,", "duration is empty in row 3"),
        ("helios", "\n12,ub", "\n11,ub", 'job_id must be unique: "11" stands in rows 2 and 3'),
        ("helios", "vcx,4,", "vcx,-4,", "gpu_num must be at least 1: -4 in row 3"),
        ("helios", "18:41:27", "25:41:27", "submit_time is no time in row 3"),
        ("helios", "18:41:27", "18:41:27Z", "submit_time is no time in row 3"),
        ("helios", ",vcx,1,1", ",vcx,1,1,1", "1 row without 12 columns: row 2 (row 2 has 13)"),
        ("acme", "11:01:16", "10:01:16", "end_time - start_time must not be negative"),
        ("acme", "19:28:54+08:00,2023", "soon,2023", "start_time"),
        ("alibaba-gpu-2023", ",500,110", ",100,110", "must not be negative: -10 in row 2"),
        ("alibaba-gpu-2023", ",100,500", ",x,500", 'creation_time is not a number in row 2: "x"'),
        ("alibaba-gpu-2020", "100.0,500", "x,500", 'start_time is not a number in row 1: "x"'),
        ("philly", '"2017-10-07 01:11:39"', '"soon"', 'submitted_time is no time in row 1: "soon"'),
        ("philly", '"jobid": "a_2"', '"id": "a_2"', "jobs: no jobid in row 2"),
        ("philly", '"a_4"', '"a_1"', 'jobid must be unique: "a_1" stands in rows 1 and 4'),
        ("batsim", '"delay": 20.25', '"delay": -1', "delay must not be negative: -1"),
        ("batsim", '"res": 8', '"res": "8"', 'jobs: res is not a number in row 1: "8"'),
        ("batsim", '"res": 8', '"res": NaN', "jobs: res is not a number in row 1"),
        ("batsim", '"profile": "long"', '"profile": "gone"', "jobs: no such profile in row 2"),
    ],
)
def test_a_bad_cell_is_refused_with_its_place(
    tmp_path: Path, form: str, old: str, new: str, said: str
) -> None:
    path = written(tmp_path, form)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert said in "\n".join(refused(path, form))


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("philly", "{", "no JSON"),
        ("philly", "{}", "jobs must be a list of objects"),
        ("philly", "[]", "the list of jobs is empty"),
        ("philly", "[3]", "jobs: no object in row 1"),
        ("philly", "[" * 100_000, "no JSON"),
        ("batsim", "[]", "no Batsim workload"),
        ("batsim", '{"profiles": {}, "jobs": []}', "the list of jobs is empty"),
        ("swf", "; only a header", "the file holds comments only"),
        ("helios", "a,b\n1,2\n", 'no column "job_id"'),
        ("opendc", "a,b\n1,2\n", "the file is csv; give tasks.parquet"),
    ],
)
def test_what_is_no_such_trace_is_refused(tmp_path: Path, form: str, text: str, said: str) -> None:
    path = tmp_path / "x"
    path.write_text(text, encoding="utf-8")
    assert said in "\n".join(refused(path, form))


def test_a_broken_parquet_file_is_one_problem(tmp_path: Path) -> None:
    path = written(tmp_path, "opendc")
    content = bytearray(path.read_bytes())
    for at in range(len(content) - 200, len(content) - 8):
        content[at] = 0x83
    path.write_bytes(content)
    (said,) = refused(path, "opendc")
    assert said.startswith("the Parquet file is broken: ")


def test_a_trace_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.swf"
    path.write_text("1 0 -1 -1 8 -1 -1 8 -1 -1 5 1 1 1 1 1 -1 -1\n", encoding="utf-8")
    assert refused(path, "swf") == [
        "no job is left: 1 no run time: it never ran, or nobody noted it"
    ]


# Real files


def test_the_pods_of_2023_are_read_as_published(data_folder: Path, tmp_path: Path) -> None:
    """Our copy has other names for the same columns."""
    import pandas as pd

    file = data_folder / "jobs" / "alibaba_gpu_v2023_pods.csv.gz"
    if not file.is_file():
        pytest.skip(f"{file.name} is not in the data folder")
    names = {
        "job_id": "name", "submit_s": "creation_time", "start_s": "scheduled_time",
        "end_s": "deletion_time", "status": "pod_phase",
    }  # fmt: skip
    table = pd.read_csv(file).drop(columns="gpus").rename(columns=names)
    path = tmp_path / "openb_pod_list_default.csv"
    table["scheduled_time"] = table["scheduled_time"].astype("Int64")
    table.to_csv(path, index=False)
    trace = trace_of(path, "alibaba-gpu-2023")
    assert len(trace.jobs) == 6_203
    assert dict(trace.jobs.dropped) == {"no GPU": 1_088, "never scheduled": 861}
    assert trace.jobs.duration_ms.max() == 12_537_496_000
    assert trace.jobs.gpus.max() == 8


def test_the_philly_extract_is_read_through_its_columns(data_folder: Path) -> None:
    file = data_folder / "jobs" / "philly_2017_jobs.csv.gz"
    if not file.is_file():
        pytest.skip(f"{file.name} is not in the data folder")
    trace = trace_of(file, "csv", columns={"submit_s": "submit_utc"})
    gpu_days = (trace.jobs.duration_ms * trace.jobs.gpus).sum() / 86_400_000
    assert len(trace.jobs) == 82_247
    assert round(gpu_days) == 40_753
    assert trace.first_ms == 1_504_546_241_000
