"""Job files: what is read, what is left out, and what is refused with its row."""

import datetime as dt
import gzip
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_S
from tests.trace_files import NEW_YEAR, jobs_of, messages, written

HEADER = "job_id,submit_s,duration_s,gpus"


def job_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    return written(folder / "j.csv", "\n".join([header, *rows]) + "\n")


def refused(path: Path, **keys: Any) -> str:
    """Read a file that must be refused; return all messages, one a line."""
    with pytest.raises(InputError) as caught:
        jobs_of(path, **keys)
    assert {issue.path for issue in caught.value.issues} == {"workloads.replay.jobs"}
    return "\n".join(messages(caught.value))


def test_the_four_columns_are_enough(tmp_path: Path) -> None:
    jobs = jobs_of(job_file(tmp_path, "a,0,60.5,1", "b,0.0015,0,16"))
    assert len(jobs) == 2
    assert jobs.job_id.to_pylist() == ["a", "b"]
    assert jobs.submit_ms.tolist() == [0, 2]
    assert jobs.duration_ms.tolist() == [60_500.0, 0.0]
    assert jobs.gpus.tolist() == [1, 16]
    assert jobs.utilisation.tolist() == [1.0, 1.0]
    assert jobs.priority.tolist() == [0, 0]
    absent = (jobs.requested_ms, jobs.deadline_ms, jobs.accelerator, jobs.cluster, jobs.preemptible)
    assert (*absent, jobs.user) == (None,) * 6
    assert jobs.warnings == ()


def test_every_optional_column_is_read(tmp_path: Path) -> None:
    more = "utilisation,requested_s,deadline_s,priority,accelerator,preemptible,cluster,user"
    path = job_file(
        tmp_path,
        "a,0,60,1,0.5,90,100,3,a100,true,train,Ada",
        "b,9,60,1,,,,,,,,",
        header=f"{HEADER},{more}",
    )
    jobs = jobs_of(path)
    assert jobs.utilisation.tolist() == [0.5, 1.0]
    assert jobs.requested_ms.tolist() == [90_000.0, 60_000.0]
    assert jobs.deadline_ms[0] == 100_000.0
    assert jobs.deadline_ms[1] != jobs.deadline_ms[1]
    assert jobs.priority.tolist() == [3, 0]
    assert jobs.accelerator.to_pylist() == ["a100", None]
    assert jobs.preemptible.tolist() == [True, False]
    assert jobs.cluster.to_pylist() == ["train", None]
    assert jobs.user.to_pylist() == ["Ada", None]
    said = "\n".join(jobs.warnings)
    assert "utilisation is empty in 1 row; 1 is taken" in said
    assert "without effect" not in said


def test_gzipped_and_parquet_files_read_the_same(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = job_file(tmp_path, "7,0,60,1", "8,5,30,2")
    packed = tmp_path / "j.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    columns = {"job_id": [7, 8], "submit_s": [0, 5], "duration_s": [60.0, 30.0], "gpus": [1, 2]}
    pq.write_table(pa.table(columns), tmp_path / "j.parquet")
    hashes = {jobs_of(path).sha256 for path in (plain, packed, tmp_path / "j.parquet")}
    assert len(hashes) == 1


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,5,60,1", header="name,submitted,run,n")
    names = {"job_id": "name", "submit_s": "submitted", "duration_s": "run", "gpus": "n"}
    assert jobs_of(path, columns=names).submit_ms.tolist() == [5000]


def test_timestamps_count_from_the_start_of_the_scenario(tmp_path: Path) -> None:
    path = job_file(
        tmp_path,
        "a,2022-01-01T00:00:10Z,60,1",
        "b,2022-01-02T00:00:00Z,60,1",
        header="job_id,submit_utc,duration_s,gpus",
    )
    jobs = jobs_of(path, columns={"submit_s": "submit_utc"})
    assert jobs.submit_ms.tolist() == [10 * MS_PER_S, MS_PER_D]


def test_timestamps_without_an_offset_need_a_column_that_says_utc(tmp_path: Path) -> None:
    rows = ["a,2022-01-01 00:00:10,60,1"]
    path = job_file(tmp_path, *rows, header="job_id,submit_utc,duration_s,gpus")
    assert jobs_of(path, columns={"submit_s": "submit_utc"}).submit_ms.tolist() == [10_000]
    assert "carries no UTC offset" in refused(job_file(tmp_path, *rows))


def test_a_timestamp_before_the_start_is_refused_with_when_to_start(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,2021-12-31T23:00:00Z,60,1", "b,2022-01-01T01:00:00Z,60,1")
    said = refused(path)
    assert "lies before the scenario's start 2022-01-01T00:00Z" in said
    assert "the first job is submitted at 2021-12-31T23:00Z" in said
    assert "in row 2" in said


def test_an_origin_maps_an_instant_of_the_file_to_the_start(tmp_path: Path) -> None:
    path = job_file(
        tmp_path,
        "a,2017-10-01T00:30:00Z,60,1",
        "b,2017-10-01T02:00:00Z,60,1",
        "c,2017-12-01T02:00:00Z,60,1",
    )
    jobs = jobs_of(path, origin=dt.datetime(2017, 10, 1, 1, tzinfo=dt.UTC))
    assert jobs.job_id.to_pylist() == ["b"]
    assert jobs.submit_ms.tolist() == [MS_PER_H]
    said = "\n".join(jobs.warnings)
    assert "1 job arrives before the origin and is not simulated" in said
    assert "1 job arrives at or after the horizon and is not simulated" in said


def test_an_origin_has_no_meaning_for_seconds(tmp_path: Path) -> None:
    said = refused(job_file(tmp_path, "a,5,60,1"), origin=NEW_YEAR)
    assert "origin is for timestamps, and submit_s holds seconds" in said


def test_jobs_after_the_horizon_are_left_out_and_counted(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,0,60,1", "b,3600,60,1", "c,7200,60,1")
    jobs = jobs_of(path, horizon_ms=MS_PER_H)
    assert jobs.job_id.to_pylist() == ["a"]
    (warning,) = jobs.warnings
    assert warning == (
        "workloads.replay.jobs: j.csv: 2 jobs arrive at or after the horizon and are not simulated"
    )


def test_a_run_that_no_job_reaches_is_warned_of_strongly(tmp_path: Path) -> None:
    jobs = jobs_of(job_file(tmp_path, "a,9e9,60,1", "b,9e9,60,1"))
    assert len(jobs) == 0
    assert "all 2 jobs arrive at or after the horizon, so nothing runs" in jobs.warnings[0]


def test_rows_may_come_in_any_order(tmp_path: Path) -> None:
    assert jobs_of(job_file(tmp_path, "b,9,60,1", "a,0,60,1")).submit_ms.tolist() == [9000, 0]


def test_a_byte_order_mark_crlf_and_blanks_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    path.write_bytes(f"\ufeff{HEADER}\r\n a , 0 ,60, 1 \r\n".encode())
    jobs = jobs_of(path)
    assert jobs.job_id.to_pylist() == ["a"]
    assert jobs.gpus.tolist() == [1]


def test_a_misspelt_optional_column_is_warned_of(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,0,60,1,0.5,x", header=f"{HEADER},utilization,vc")
    (warning,) = jobs_of(path).warnings
    assert "\"utilization\" is not read; did you mean 'utilisation'?" in warning


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,-1,60,1", "submit_s must not be negative: -1 in row 2"),
        ("a,0,-60,1", "duration_s must not be negative: -60 in row 2"),
        ("a,0,1e20,1", "duration_s is too long: 1e20 in row 2"),
        ("a,0,60,0", "gpus must be at least 1: 0 in row 2"),
        ("a,0,60,-8", "gpus must be at least 1: -8 in row 2"),
        (
            "a,0,60,0.5",
            "a part of one is 1 with a column fraction: 0.5 in row 2",
        ),
        ("a,0,60,9999999999", "gpus is too many: 9999999999 in row 2"),
        (",0,60,1", "job_id must not be empty in row 2"),
        ("a,,60,1", "submit_s is empty in row 2"),
        ("a,0,nan,1", "duration_s is empty in row 2"),
        ("a,0,inf,1", "duration_s is infinite in row 2"),
        ("a,0,60,", "gpus is empty in row 2"),
        ("a,soon,60,1", 'submit_s is not a number in row 2: "soon"'),
        ("a,0,1h,1", 'duration_s is not a number in row 2: "1h"'),
        ('a,0,"3,600",1', "no thousands separators"),
        ("a,0,60,true", 'gpus is not a number in row 2: "true"'),
    ],
)
def test_a_bad_cell_is_refused_once_with_value_and_row(tmp_path: Path, row: str, said: str) -> None:
    message = refused(job_file(tmp_path, row))
    assert said in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("utilisation", "1.2", "utilisation must be a share from 0 to 1: 1.2 in row 2"),
        ("utilisation", "-0.1", "utilisation must be a share from 0 to 1: -0.1 in row 2"),
        (
            "priority",
            "1.5",
            "priority must be a whole number from -2147483647 to 2147483647: 1.5 in row 2",
        ),
        ("requested_s", "-1", "requested_s must not be negative: -1 in row 2"),
        ("requested_s", "0", "requested_s must be above 0 for a job that takes time: 0 in row 2"),
        ("deadline_s", "69", "deadline_s lies before submit + duration: 69 in row 2"),
        ("preemptible", "maybe", "preemptible must be true or false: maybe in row 2"),
    ],
)
def test_a_bad_optional_cell_is_refused_with_value_and_row(
    tmp_path: Path, column: str, cell: str, said: str
) -> None:
    path = job_file(tmp_path, f"a,10,60,1,{cell}", header=f"{HEADER},{column}")
    assert said in refused(path)


def test_a_job_that_takes_no_time_may_ask_for_none(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,0,0,1,0", header=f"{HEADER},requested_s")
    jobs = jobs_of(path)
    assert jobs.requested_ms is not None
    assert jobs.requested_ms.tolist() == [0.0]


def test_an_estimate_shorter_than_the_run_is_a_warning(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,0,60,1,30", header=f"{HEADER},requested_s")
    assert "1 job ran longer than requested" in jobs_of(path).warnings[0]


def test_repeated_identifiers_are_refused_with_their_rows(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,0,60,1", "b,0,60,1", "a,5,60,1", "b,6,60,1")
    said = refused(path)
    assert 'job_id must be unique: "a" stands in rows 2 and 4, and 1 other id' in said


def test_a_missing_column_is_refused_with_the_columns_there_are(tmp_path: Path) -> None:
    said = refused(job_file(tmp_path, "a,0,60,1", header="job_id,submit,duration_s,gpu"))
    assert 'no column "submit_s"; the file has job_id, submit, duration_s, gpu' in said
    assert 'no column "gpus"' in said
    assert "did you mean 'gpu'?" in said


def test_a_mapping_to_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = refused(job_file(tmp_path, "a,0,60,1"), columns={"priority": "prio"})
    assert 'no column "prio"' in said


def test_a_mapping_of_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    said = refused(job_file(tmp_path, "a,0,60,1"), columns={"submits": "submit_s"})
    assert "did you mean 'submit_s'?" in said


def test_a_file_without_jobs_is_refused(tmp_path: Path) -> None:
    assert "a header and no row of data" in refused(job_file(tmp_path))
    assert "the file is empty" in refused(written(tmp_path / "e.csv", ""))


def test_ragged_rows_are_refused_with_their_rows(tmp_path: Path) -> None:
    said = refused(job_file(tmp_path, "a,0,60,1", "b,0,60", "c,0,60,1,9"))
    assert "2 rows without 4 columns: rows 3 and 4" in said


def test_a_format_that_the_file_is_not_is_refused(tmp_path: Path) -> None:
    path = job_file(tmp_path, "a,0,60,1")
    assert 'format = "parquet", and the file is csv' in refused(path, format="parquet")


def test_all_problems_of_a_file_are_said_at_once(tmp_path: Path) -> None:
    said = refused(job_file(tmp_path, "a,-1,60,1", "a,0,-60,0.5", "b,x,60,1"))
    for problem in ("must be unique", "duration_s must not", "whole accelerators", "not a number"):
        assert problem in said


def test_the_philly_jobs_are_read(data_folder: Path) -> None:
    path = data_folder / "jobs" / "philly_2017_jobs.csv.gz"
    jobs = jobs_of(
        path,
        columns={"submit_s": "submit_utc"},
        start=dt.datetime(2017, 9, 4, tzinfo=dt.UTC),
        horizon_ms=120 * MS_PER_D,
    )
    assert len(jobs) == 82_247
    assert jobs.warnings == ()
    gpu_days = (jobs.duration_ms * jobs.gpus).sum() / MS_PER_D
    assert gpu_days == pytest.approx(40_753, abs=1)
