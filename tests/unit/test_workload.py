"""The job table: drawn and replayed jobs, merged, named, routed, and warned of."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.fleet import fleet_of
from simulator.rng import uniforms
from simulator.scenario import from_document
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_S
from simulator.workload.generate import job_table
from simulator.workload.names import as_one_type, numbered, unique_over_workloads
from simulator.workload.table import JobTable
from tests.builders import scenario_document, write_jobs

DRAWN: dict[str, Any] = {
    "clusters": ["c"],
    "arrivals": {"process": "poisson", "rate": "200 per d"},
    "gpu_days": {"p50": 0.01, "p99": 0.2},
    "gpus": {"choices": [1, 2, 8], "weights": [0.5, 0.3, 0.2]},
    "utilisation": {"dist": "beta", "mean": 0.4, "sd": 0.1},
}
COLUMNS = ("submit_ms", "duration_ms", "gpus", "utilisation")


def table(folder: str | Path = ".", *, seed: int = 7, **keys: Any) -> JobTable:
    """Return the jobs of a scenario of 10 days."""
    scenario = from_document(scenario_document(**{"horizon": "10 d", **keys}), folder)
    return job_table(scenario, fleet_of(scenario), seed=seed)


def drawn(folder: str | Path = ".", *, horizon: str = "10 d", **changes: Any) -> JobTable:
    """Return the jobs of one drawn workload; a change to None takes the key out."""
    workload = {key: value for key, value in (DRAWN | changes).items() if value is not None}
    return table(folder, horizon=horizon, workloads={"w": workload})


def columns_of(jobs: JobTable, workload: str) -> dict[str, list[float]]:
    own = jobs.workload == jobs.workload_names.index(workload)
    return {name: getattr(jobs, name)[own].tolist() for name in COLUMNS}


def digest(jobs: JobTable) -> str:
    content = [getattr(jobs, name).tobytes() for name in (*COLUMNS, "workload", "route")]
    content.append("\n".join(jobs.job_ids().to_pylist()).encode())
    return hashlib.sha256(b"".join(content)).hexdigest()


def refused(folder: str | Path = ".", **keys: Any) -> list[str]:
    with pytest.raises(InputError) as error:
        table(folder, **keys)
    return [f"{issue.path}: {issue.message}" for issue in error.value.issues]


def test_columns_have_the_types_and_the_order_that_the_engine_relies_on() -> None:
    jobs = drawn()
    assert [getattr(jobs, name).dtype for name in COLUMNS] == [
        np.int64,
        np.float64,
        np.int32,
        np.float64,
    ]
    assert (jobs.priority.dtype, jobs.workload.dtype, jobs.route.dtype) == (
        np.int32,
        np.int16,
        np.int16,
    )
    assert np.all(np.diff(jobs.submit_ms) >= 0)
    assert jobs.submit_ms.min() >= 0
    assert jobs.submit_ms.max() < 10 * MS_PER_D
    assert jobs.duration_ms.min() > 0
    assert set(jobs.gpus.tolist()) == {1, 2, 8}
    assert 0 < jobs.utilisation.min() <= jobs.utilisation.max() < 1
    assert (jobs.routes, jobs.scales, jobs.workload_names) == (((0,),), (True,), ("w",))
    assert len(jobs) == len(jobs.job_ids())


def test_gpu_days_divided_by_gpus_are_the_duration_and_independent_of_them() -> None:
    jobs = drawn(gpu_days={"p50": 0.01, "p99": 0.2}, horizon="100 d")
    gpu_days = np.log(jobs.duration_ms * jobs.gpus / MS_PER_D)
    assert np.median(gpu_days) == pytest.approx(np.log(0.01), abs=0.05)
    assert abs(np.corrcoef(gpu_days, jobs.gpus)[0, 1]) < 5 / np.sqrt(len(jobs))


def test_a_duration_does_not_scale_with_the_speed_of_nodes_and_gpu_days_do() -> None:
    jobs = table(
        workloads={
            "a": DRAWN,
            "b": {k: v for k, v in DRAWN.items() if k != "gpu_days"} | {"duration": "90 min"},
        }
    )
    assert jobs.scales == (True, False)
    assert set(columns_of(jobs, "b")["duration_ms"]) == {1.5 * MS_PER_H}


def test_adding_a_workload_changes_no_other() -> None:
    other = DRAWN | {"arrivals": {"process": "regular", "every": "7 min"}}
    alone = table(workloads={"w": DRAWN})
    among = table(workloads={"first": other, "w": DRAWN, "last": other})
    assert columns_of(among, "w") == columns_of(alone, "w")
    own = among.job_ids().to_numpy(zero_copy_only=False)[among.workload == 1]
    assert own.tolist() == alone.job_ids().to_pylist()


@pytest.mark.parametrize(
    "change",
    [
        {"gpus": 4},
        {"utilisation": 0.5},
        {"gpu_days": 3.0},
        {
            "gpu_days": {
                "mixture": [{"weight": 0.5, "p50": 1, "p99": 2}, {"weight": 0.5, "constant": 1}]
            }
        },
    ],
    ids=["gpus", "utilisation", "gpu_days", "mixture"],
)
def test_changing_one_property_leaves_the_others_as_they_were(change: dict[str, Any]) -> None:
    before, after = drawn(), drawn(**change)
    same = {"submit_ms", "gpus", "utilisation"} - change.keys()
    for name in same:
        assert np.array_equal(getattr(before, name), getattr(after, name)), name


@pytest.mark.parametrize(
    "arrivals",
    [
        {"process": "poisson", "rate": "20 per h"},
        {"process": "regular", "every": "101 s"},
        {
            "process": "diurnal",
            "rate": "20 per h",
            "peak_to_trough": 4.0,
            "weekend": 0.5,
            "time_zone": "Europe/Berlin",
        },
    ],
    ids=["poisson", "regular", "diurnal"],
)
def test_a_longer_horizon_leaves_the_first_jobs_as_they_were(arrivals: dict[str, Any]) -> None:
    short = drawn(arrivals=arrivals, horizon="8 d")
    long = drawn(arrivals=arrivals, horizon="31 d")
    assert len(long) > len(short)
    for name in COLUMNS:
        assert np.array_equal(getattr(long, name)[: len(short)], getattr(short, name)), name
    assert long.submit_ms[len(short)] >= 8 * MS_PER_D
    assert long.job_ids()[: len(short)].equals(short.job_ids())


def test_jobs_of_one_instant_stand_in_the_order_of_workloads_and_then_their_own(
    tmp_path: Path,
) -> None:
    write_jobs(tmp_path / "x.csv", [(3600, 1, 1, 1), (0, 2, 1, 1), (3600, 3, 1, 1)])
    regular = {"process": "regular", "every": "1 h"}
    jobs = table(
        tmp_path,
        horizon="2 h",
        workloads={
            "file": {"clusters": ["c"], "jobs": {"file": "x.csv"}},
            "r": DRAWN | {"arrivals": regular},
        },
    )
    assert jobs.job_ids().to_pylist() == ["j1", "r-0000001", "j0", "j2", "r-0000002"]
    assert jobs.submit_ms.tolist() == [0, 0, MS_PER_H, MS_PER_H, MS_PER_H]


def test_max_jobs_keeps_the_first() -> None:
    few, all_of_them = drawn(max_jobs=10), drawn()
    assert len(few) == 10
    assert np.array_equal(few.duration_ms, all_of_them.duration_ms[:10])


def test_names_have_one_width_within_a_workload() -> None:
    jobs = drawn()
    names = jobs.job_ids().to_pylist()
    assert names[0] == "w-0000001"
    assert names[-1] == f"w-{len(jobs):07d}"
    ten = numbered("größe", 12).to_pylist()
    assert ten == [f"größe-{k:07d}" for k in range(1, 13)]


def test_no_workload_and_a_rate_of_0_give_no_jobs() -> None:
    idle = drawn(arrivals={"process": "poisson", "rate": "0 per d"})
    none = table()
    for jobs in (idle, none):
        assert len(jobs) == 0
        assert jobs.job_ids().to_pylist() == []
        assert jobs.warnings == ()
    assert idle.sizes[0].jobs == 0
    assert idle.sizes[0].gpu_days_mean is None
    assert idle.sizes[0].offered_load == 0.0


def test_sizes_tell_the_laws_mean_beside_the_percentiles_drawn() -> None:
    jobs = drawn(horizon="100 d")
    (size,) = jobs.sizes
    gpu_days = jobs.duration_ms * jobs.gpus / MS_PER_D
    assert (size.name, size.jobs) == ("w", len(jobs))
    assert size.gpu_days_p50 == pytest.approx(np.percentile(gpu_days, 50), rel=1e-12)
    assert size.gpu_days_p99 == pytest.approx(np.percentile(gpu_days, 99), rel=1e-12)
    assert size.gpu_days_mean == pytest.approx(gpu_days.mean(), rel=1e-12)
    # mean = p50 exp(sigma^2 / 2) with sigma = ln(20) / 2.3263: far above the median 0.01.
    assert size.law_mean_gpu_days == pytest.approx(0.0229134, rel=1e-5)
    assert size.offered_load == pytest.approx(gpu_days.sum() / 100 / 8, rel=1e-12)
    assert drawn(gpu_days=None, duration="1 h").sizes[0].law_mean_gpu_days is None


def test_a_load_above_capacity_is_warned_of_with_the_figure() -> None:
    # 8 accelerators, 24 jobs a day of 0.44 GPU-days each: 10.56 / 8 = 1.32 of capacity.
    regular = {"process": "regular", "every": "1 h"}
    (warning,) = drawn(arrivals=regular, gpu_days=0.44, gpus=1).warnings
    assert "offered load 1.32 of capacity: the queue grows without limit" in warning
    assert drawn(arrivals=regular, gpu_days=0.33, gpus=1).warnings == ()
    # By durations: 24 jobs a day x 4 accelerators x 2 h = 8 accelerators' worth of days, exactly.
    assert drawn(arrivals=regular, gpu_days=None, duration="2 h", gpus=4).warnings == ()
    (warning,) = drawn(arrivals=regular, gpu_days=None, duration="3 h", gpus=4).warnings
    assert "offered load 1.5 " in warning


def test_load_is_summed_over_workloads_that_share_clusters() -> None:
    half = DRAWN | {"arrivals": {"process": "regular", "every": "1 h"}, "gpu_days": 0.2, "gpus": 1}
    clusters = {name: {"site": "s", "node": "n", "count": 1} for name in ("c", "d", "e")}

    def warnings(**routes: list[str]) -> tuple[str, ...]:
        workloads = {name: half | {"clusters": chosen} for name, chosen in routes.items()}
        return table(clusters=clusters, workloads=workloads).warnings

    # Each workload loads one cluster to 0.6.
    (warning,) = warnings(a=["c"], b=["c"])
    assert "offered load 1.2 of capacity" in warning
    assert "(workloads: a, b; clusters: c)" in warning
    assert warnings(a=["c"], b=["c", "d"]) == ()
    assert warnings(a=["c"], b=["d"], c=["c", "d"], d=["d", "e"]) == ()
    (warning,) = warnings(a=["c"], b=["d"], c=["c", "d"], d=["c", "d"])
    assert "(workloads: a, b, c, d; clusters: c, d)" in warning


def test_faster_nodes_carry_more_gpu_days() -> None:
    regular = {"process": "regular", "every": "1 h"}
    busy = DRAWN | {"arrivals": regular, "gpu_days": 0.44, "gpus": 1}
    jobs = table(nodes={"relative_speed": 2.0}, workloads={"w": busy})
    assert jobs.warnings == ()
    assert jobs.sizes[0].offered_load == pytest.approx(0.66)


def test_a_drawn_job_that_fits_nowhere_stays_and_is_warned_of() -> None:
    jobs = drawn(gpus={"choices": [8, 16], "weights": [0.5, 0.5]})
    large = int(np.count_nonzero(jobs.gpus == 16))
    assert large > 0
    assert f"workloads.w: {large:,} of {len(jobs):,} jobs need more" in jobs.warnings[0]


def test_too_many_jobs_of_all_workloads_are_refused_before_any_is_drawn() -> None:
    fast = DRAWN | {"arrivals": {"process": "poisson", "rate": "60 per s"}}
    (issue,) = refused(workloads={"a": fast, "b": fast})
    assert issue.startswith("workloads: some 103,680,000 jobs of all workloads in the horizon")
    assert "lower a rate, shorten the horizon or set max_jobs" in issue
    few = fast | {"max_jobs": 5}
    assert len(table(workloads={"a": few, "b": few})) == 10


def test_problems_of_all_workloads_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "shares.csv").write_text("share,size\n0.5,-1\n1.5,2\n")
    shares = {"file": "shares.csv", "column": "share"}
    sizes = {"file": "shares.csv", "column": "size"}
    write_jobs(tmp_path / "x.csv", [(0, 60, 9, 1), (60, 60, 10, 1)])
    issues = refused(
        tmp_path,
        workloads={
            "a": DRAWN | {"utilisation": shares, "gpu_days": sizes},
            "b": {"clusters": ["c"], "jobs": {"file": "x.csv"}},
        },
    )
    assert len(issues) == 3
    assert "workloads.a.gpu_days: shares.csv: size is negative in row 2" in issues[0]
    assert issues[1].startswith("workloads.a.utilisation: values up to 1.5 are no shares")
    assert "x.csv: 2 jobs of more GPUs than the largest cluster" in issues[2]
    assert 'largest cluster "c" has, 8: jobs j0 (9), j1 (10)' in issues[2]


def test_a_law_of_a_column_is_drawn_from_and_recorded(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("hours\n1\n2\n4\n")
    law = {"file": "sizes.csv", "column": "hours", "unit": "h"}
    jobs = drawn(tmp_path, gpu_days=None, duration=law)
    assert jobs.duration_ms.min() >= MS_PER_H
    assert jobs.duration_ms.max() <= 4 * MS_PER_H
    assert [name for name, *_ in jobs.inputs] == ["sizes.csv"]
    assert len(jobs.inputs[0][1]) == 64


def replay(folder: Path, rows: list[tuple], columns: str = "", **keys: Any) -> JobTable:
    write_jobs(folder / "x.csv", rows, columns)
    workload = {"clusters": ["c"], "jobs": {"file": "x.csv"}}
    return table(folder, workloads={"r": workload | keys.pop("workload", {})}, **keys)


def test_replayed_jobs_are_sorted_and_keep_their_names(tmp_path: Path) -> None:
    jobs = replay(tmp_path, [(60.0004, 10, 2, 0.5, 1), (0, 1.5, 8, 1, 0), (7, 0, 1, 1, -2)],
                  "submit_s,duration_s,gpus,utilisation,priority")  # fmt: skip
    assert jobs.job_ids().to_pylist() == ["j1", "j2", "j0"]
    assert jobs.submit_ms.tolist() == [0, 7_000, 60_000]
    assert jobs.duration_ms.tolist() == [1500.0, 0.0, 10_000.0]
    assert jobs.gpus.tolist() == [8, 1, 2]
    assert jobs.utilisation.tolist() == [1.0, 1.0, 0.5]
    assert jobs.priority.tolist() == [0, -2, 1]
    assert jobs.scales == (False,)
    assert jobs.inputs[0][0] == "x.csv"
    assert jobs.sizes[0].law_mean_gpu_days is None


def test_a_files_utilisation_stands_and_the_workloads_fills_in(tmp_path: Path) -> None:
    law = {"utilisation": 0.4}
    silent = replay(tmp_path, [(0, 1, 1), (1, 1, 1)], "submit_s,duration_s,gpus", workload=law)
    assert silent.utilisation.tolist() == [0.4, 0.4]
    said = replay(tmp_path, [(0, 1, 1, 0.9), (1, 1, 1, 0.7)], workload=law)
    assert said.utilisation.tolist() == [0.9, 0.7]


def test_what_no_workload_says_is_absent_and_takes_no_memory(tmp_path: Path) -> None:
    jobs = replay(tmp_path, [(0, 10, 1, 1), (5, 20, 1, 1)])
    assert (jobs.requested_ms, jobs.deadline_ms, jobs.user, jobs.user_names) == (None,) * 3 + ((),)
    assert (drawn().requested_ms, drawn().deadline_ms, drawn().user) == (None,) * 3


def test_requests_deadlines_and_users_are_carried_in_order_of_submission(tmp_path: Path) -> None:
    names = "submit_s,duration_s,gpus,requested_s,deadline_s,user"
    rows = [(60, 10, 1, 30, 100, "Ada"), (0, 10, 1, "", "", ""), (5, 0, 1, 0, 5, "Bob")]
    jobs = replay(tmp_path, [*rows, (70, 10, 1, 10, "", "Ada")], names)
    assert jobs.requested_ms is not None
    assert jobs.deadline_ms is not None
    assert jobs.user is not None
    assert jobs.requested_ms.tolist() == [10_000, 0, 30_000, 10_000]
    np.testing.assert_array_equal(jobs.deadline_ms, [np.nan, 5_000, 100_000, np.nan])
    assert jobs.user.tolist() == [-1, 1, 0, 0]
    assert jobs.user_names == ("Ada", "Bob")
    assert (jobs.requested_ms.dtype, jobs.user.dtype) == (np.float64, np.int32)


def test_a_workload_that_says_nothing_asks_for_its_durations(tmp_path: Path) -> None:
    names = "submit_s,duration_s,gpus,requested_s,deadline_s,user"
    first = write_jobs(tmp_path / "a.csv", [(10, 10, 1, 30, 100, "Ada")], names)
    second = write_jobs(tmp_path / "b.csv", [(0, 20, 1), (20, 25, 1)], "submit_s,duration_s,gpus")
    third = write_jobs(tmp_path / "c.csv", [(15, 5, 1, 5, 90, "Ada")], names)
    files = {"a": first, "b": second, "c": third}
    jobs = table(
        tmp_path,
        workloads={
            name: {"clusters": ["c"], "jobs": {"file": file.name}} for name, file in files.items()
        },
    )
    assert jobs.requested_ms is not None
    assert jobs.requested_ms.tolist() == [20_000, 30_000, 5_000, 25_000]
    np.testing.assert_array_equal(jobs.deadline_ms, [np.nan, 100_000, 90_000, np.nan])
    assert jobs.user is not None
    assert jobs.user.tolist() == [-1, 0, 0, -1]
    assert jobs.user_names == ("Ada",)


def test_replayed_jobs_load_the_fleet_as_far_as_the_horizon(tmp_path: Path) -> None:
    day_s = MS_PER_D // MS_PER_S
    jobs = replay(tmp_path, [(0, 20 * day_s, 8, 1)])
    assert jobs.sizes[0].offered_load == pytest.approx(2.0)
    assert jobs.warnings == ()  # it just fills the fleet
    jobs = replay(tmp_path, [(0, 20 * day_s, 8, 1), (5 * day_s, 20 * day_s, 8, 1)])
    assert "offered load 1.5 of capacity" in jobs.warnings[0]


TWO = {
    "nodes": {
        name: {
            "accelerator": name,
            "accelerators": 8,
            "idle_power": "100 W",
            "busy_power": "500 W",
            "embodied": "0 kg",
            "lifetime": "4 y",
        }
        for name in ("a100", "h100")
    },
    "clusters": {
        "c": {"site": "s", "node": "a100", "count": 1},
        "d": {"site": "s", "node": "h100", "count": 2},
        "e": {"site": "s", "node": "h100", "count": 1},
    },
}


def routed(folder: Path, *rows: tuple) -> JobTable:
    document = scenario_document(horizon="10 d") | TWO
    write_jobs(folder / "x.csv", rows, "submit_s,duration_s,gpus,cluster,accelerator")
    workload = {"clusters": ["d", "c"], "jobs": {"file": "x.csv"}}
    scenario = from_document(document | {"workloads": {"r": workload}}, folder)
    return job_table(scenario, fleet_of(scenario), seed=1)


def test_a_jobs_cluster_and_accelerator_restrict_its_route(tmp_path: Path) -> None:
    jobs = routed(
        tmp_path,
        (0, 1, 1, "", ""),
        (1, 1, 1, "c", ""),
        (2, 1, 1, "", "h100"),
        (3, 1, 1, "d", "h100"),
        (4, 1, 16, "", ""),
    )
    taken = [jobs.routes[route] for route in jobs.route]
    assert taken == [(1, 0), (0,), (1,), (1,), (1, 0)]
    assert len(set(jobs.routes)) == len(jobs.routes)


def test_clusters_and_accelerators_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        routed(
            tmp_path,
            (0, 1, 1, "cc", ""),
            (1, 1, 1, "e", ""),
            (2, 1, 1, "", "a10"),
            (3, 1, 1, "c", "h100"),
            (4, 1, 9, "c", ""),
            *((5 + k, 1, 1, "e", "") for k in range(5)),
        )
    text = str(error.value)
    assert 'cluster "cc" is unknown to this workload; did you mean "c"? known are d, c' in text
    assert '"e" is unknown to this workload; known are d, c (jobs j1, j5, j6 and 3 more)' in text
    assert 'accelerator "a10" is unknown to this workload; did you mean "a100"?' in text
    assert 'cluster "c" has no accelerator "h100" (job j3)' in text
    assert '1 job of more GPUs than the largest cluster "c" has, 8: job j4 (9)' in text


def test_ids_that_two_workloads_share_are_preceded_by_the_workloads_names(tmp_path: Path) -> None:
    write_jobs(tmp_path / "x.csv", [(0, 1, 1, 1), (5, 1, 1, 1)])
    write_jobs(tmp_path / "y.csv", [(1, 1, 1, 1)])
    one, other = ({"clusters": ["c"], "jobs": {"file": name}} for name in ("x.csv", "y.csv"))
    twice = table(tmp_path, workloads={"a": one, "b": other})
    assert twice.job_ids().to_pylist() == ["a:j0", "b:j0", "a:j1"]
    drawn_too = table(tmp_path, workloads={"a": one, "w": DRAWN | {"max_jobs": 1}})
    assert set(drawn_too.job_ids().to_pylist()) == {"j0", "j1", "w-0000001"}


def test_ids_of_different_string_types_are_joined() -> None:
    pa = pytest.importorskip("pyarrow")
    large = pa.array(["x"], pa.large_string())
    kept = unique_over_workloads({"a": numbered("a", 1), "b": large})
    assert [own.type for own in as_one_type(kept)] == [pa.string(), pa.string()]
    clash = unique_over_workloads({"a": numbered("a", 1), "b": pa.array(["a-0000001"])})
    assert [own.to_pylist() for own in clash] == [["a:a-0000001"], ["b:a-0000001"]]


@pytest.mark.parametrize(("hash_seed", "zone"), [("0", "America/New_York"), ("99", "Asia/Tokyo")])
def test_another_process_and_time_zone_make_the_same_table(hash_seed: str, zone: str) -> None:
    code = "import tests.unit.test_workload as t; print(t.digest(t.reference()))"
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == digest(reference())


def reference() -> JobTable:
    """Return two workloads that use every kind of stream."""
    mixture = {"mixture": [{"weight": 0.9, "p50": 1, "p99": 2}, {"weight": 0.1, "constant": 1}]}
    diurnal = {"process": "diurnal", "rate": "9 per h", "time_zone": "America/Los_Angeles"}
    return table(workloads={"a": DRAWN, "b": DRAWN | {"arrivals": diurnal, "gpu_days": mixture}})


def test_a_table_uses_the_seed_it_is_given() -> None:
    one, again, other = (table(workloads={"w": DRAWN}, seed=seed) for seed in (1, 1, 2))
    assert digest(one) == digest(again) != digest(other)
    gaps = -np.log1p(-uniforms(1, "workload", "w", "arrivals", count=50))
    times = np.cumsum(gaps * MS_PER_D / 200)
    assert one.submit_ms[:50] == pytest.approx(times, abs=0.6)


def test_max_jobs_keeps_the_first_jobs_of_a_file(tmp_path: Path) -> None:
    jobs = replay(
        tmp_path,
        [(9, 60, 1), (2, 60, 1), (5, 60, 1)],
        "submit_s,duration_s,gpus",
        workload={"max_jobs": 2},
    )
    assert jobs.submit_ms.tolist() == [2_000, 5_000]
