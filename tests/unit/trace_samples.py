"""Ten lines of each format of job traces, written for the tests, and what they hold."""

import json
from pathlib import Path
from typing import Any

from simulator.scenario.workloads import JobFile
from simulator.traces.jobs import JobRows, JobTrace, read_trace

SWF = """\
; Version: 2.2
; Computer: a machine of no name
; UnixStartTime: 1500000000
;
    1     0    5   100   8   -1 -1    8   200 -1 1   7  1 -1 1 -1 -1 -1
    2    10   -1    -1  -1   -1 -1   16   300 -1 5   7  1 -1 1 -1 -1 -1
    3    20    0  60.5  -1   -1 -1   12    -1 -1 1   9  1 -1 1 -1 -1 -1
    4    30    0     0  -1   -1 -1   -1    50 -1 5  -1  1 -1 1 -1 -1 -1
; a remark between the jobs
    5    40    0     0   1   -1 -1    1    50 -1 0  -1  1 -1 1 -1 -1 -1
    5    40    0    10   1   -1 -1    1    50 -1 2  -1  1 -1 1 -1 -1 -1
    6    -1    0    10   1   -1 -1    1    50 -1 1  -1  1 -1 1 -1 -1 -1
"""

PHILLY: list[dict[str, Any]] = [
    {
        "status": "Pass", "vc": "v1", "jobid": "a_1", "user": "u1",
        "submitted_time": "2017-10-07 01:11:39",
        "attempts": [
            {
                "start_time": "2017-10-07 01:12:09", "end_time": "2017-10-07 01:13:23",
                "detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}],
            },
            {
                "start_time": "2017-10-07 01:13:30", "end_time": "2017-10-07 02:13:30",
                "detail": [
                    {"ip": "m1", "gpus": ["gpu0", "gpu1"]}, {"ip": "m2", "gpus": ["gpu0", "gpu1"]},
                ],
            },
        ],
    },
    {"jobid": "a_2", "user": "u2", "submitted_time": "2017-10-07 01:20:00", "attempts": []},
    {
        "jobid": "a_3", "user": None, "submitted_time": "2017-10-07 01:30:00",
        "attempts": [
            {
                "start_time": "2017-10-07 01:31:00", "end_time": None,
                "detail": [{"ip": "m1", "gpus": ["gpu0"]}],
            },
        ],
    },
    {
        "jobid": "a_4", "user": "u1", "submitted_time": "2017-10-07 01:40:00",
        "attempts": [
            {"start_time": None, "end_time": "2017-10-07 01:45:00", "detail": []},
            {
                "start_time": "2017-10-07 01:50:00", "end_time": "2017-10-07 01:51:00",
                "detail": [{"ip": "m1", "gpus": ["gpu7"]}],
            },
        ],
    },
    {
        "jobid": "a_5", "user": "u1", "submitted_time": "2017-10-07 01:40:00",
        "attempts": [
            {"start_time": "2017-10-07 01:50:00", "end_time": "2017-10-07 01:51:00", "detail": []},
        ],
    },
]  # fmt: skip

HELIOS = """\
job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue
11,ua,vcx,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:11,2020-06-09 18:42:51,100,10
12,ub,vcx,4,16,1,FAILED,2020-06-09 18:41:27,2020-06-09 18:41:27,2020-06-09 18:45:36,249,0
13,ua,vcy,0,4,1,COMPLETED,2020-06-09 18:42:00,2020-06-09 18:42:00,2020-06-09 18:43:00,60,0
14,uc,vcy,16,64,2,CANCELLED,2020-06-09 18:43:00,,2020-06-09 18:44:00,0,60
15,uc,vcy,16,64,2,COMPLETED,2020-06-09 19:43:00,2020-06-09 19:43:00,2020-06-09 19:43:00,0,0
"""

_DAY = "2023-05-17 "
ACME = f"""\
job_id,user,node_num,gpu_num,type,submit_time,start_time,end_time,duration,queue,gpu_time
dl1,ua,8,64,Other,{_DAY}11:00:58+00:00,{_DAY}11:01:08+00:00,{_DAY}11:01:16+00:00,18,10,1152.0
dl2,ub,1,8,Other,{_DAY}19:28:42+08:00,{_DAY}19:28:54+08:00,{_DAY}19:30:04+08:00,70,12,560.0
dl3,ub,1,0,Other,{_DAY}19:28:42+08:00,{_DAY}19:28:54+08:00,{_DAY}19:30:04+08:00,70,12,0.0
dl4,ub,1,8,Other,{_DAY}19:29:42+08:00,,{_DAY}19:30:04+08:00,0,22,0.0
"""

PODS = """\
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
pod-0,12000,16384,1,1000,,LS,Running,100,500,110
pod-1,6000,12288,1,460,,LS,Running,200,260,200
pod-2,88000,327680,8,1000,V100M16|V100M32,Burstable,Succeeded,300,900,350
pod-3,20000,65536,0,0,,LS,Running,310,900,320
pod-4,11908,47104,1,1000,,BE,Pending,400,450,
"""

PAI_JOBS = """\
j1,i1,ua,Terminated,100.0,500.0
j2,i2,ub,Terminated,200.0,600.0
j3,i3,ub,Failed,300.0,350.0
j4,i4,uc,Running,400.0,
j5,i5,uc,Waiting,500.0,
"""

PAI_TASKS = """\
j1,ps,1.0,Terminated,105.0,510.0,600.0,29.2,,
j1,worker,2.0,Terminated,110.0,400.0,600.0,29.2,50.0,T4
j1,worker2,4.0,Terminated,120.0,450.0,600.0,29.2,100.0,T4
j2,worker,1.0,Terminated,210.0,600.0,600.0,29.2,25.0,MISC
j3,ps,1.0,Failed,310.0,350.0,600.0,29.2,,
j4,worker,1.0,Running,410.0,,600.0,29.2,100.0,T4
j5,worker,1.0,Waiting,,,600.0,29.2,100.0,T4
"""

BATSIM: dict[str, Any] = {
    "nb_res": 32,
    "jobs": [
        {"id": "w0!1", "subtime": 0, "res": 8, "profile": "short", "walltime": 100},
        {"id": "w0!2", "subtime": 10.5, "res": 12, "profile": "long", "walltime": 100},
        {"id": "w0!3", "subtime": 20, "res": 4, "profile": "thrice"},
        {"id": "w0!4", "subtime": 30, "res": 4, "profile": "computes", "walltime": 100},
        {"id": "w0!5", "subtime": 40, "res": 4, "profile": "ring"},
    ],
    "profiles": {
        "short": {"type": "delay", "delay": 20.25},
        "long": {"type": "DelayProfile", "delay": 5000},
        "thrice": {"type": "composed", "repeat": 3, "seq": ["short", "short"]},
        "computes": {"type": "parallel_homogeneous", "cpu": 1e9, "com": 0},
        "ring": {"type": "composed", "seq": ["ring"]},
    },
}


def opendc_table(**more: Any) -> Any:
    """Return tasks as OpenDC has them."""
    import pyarrow as pa

    return pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int32()),
            "submission_time": pa.array([1_600_000_000_000, 1_600_000_060_000, 1_600_000_120_000]),
            "duration": pa.array([60_000, 90_500, 0]),
            "cpu_count": pa.array([8, 12, 0], pa.int32()),
            "cpu_capacity": [2000.0] * 3,
            "mem_capacity": [1] * 3,
            **more,
        }
    )


def written(folder: Path, form: str) -> Path:
    """Write the sample of a format into a folder; return the file to read."""
    import pyarrow.parquet as pq

    if form == "opendc":
        path = folder / "tasks.parquet"
        pq.write_table(opendc_table(), path)
        return path
    if form == "alibaba-gpu-2020":
        (folder / "pai_task_table.csv").write_text(PAI_TASKS, encoding="utf-8")
    texts = {
        "swf": ("log.swf", SWF),
        "philly": ("cluster_job_log", json.dumps(PHILLY, indent=1)),
        "helios": ("cluster_log.csv", HELIOS),
        "acme": ("trace_kalos.csv", ACME),
        "alibaba-gpu-2023": ("openb_pod_list.csv", PODS),
        "alibaba-gpu-2020": ("pai_job_table.csv", PAI_JOBS),
        "batsim": ("workload.json", json.dumps(BATSIM)),
    }
    name, text = texts[form]
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def trace_of(path: Path, form: str, **options: Any) -> JobTrace:
    """Read all jobs of a file."""
    return read_trace(JobFile(text=path.name, path=path, format=form, **options))


def rows_of(jobs: JobRows) -> list[tuple[str, float, float, int]]:
    """Return identifier, submission [s], duration [s] and accelerators of each job."""
    return list(
        zip(
            jobs.job_id.to_pylist(),
            (jobs.submit_ms / 1000).tolist(),
            (jobs.duration_ms / 1000).tolist(),
            jobs.gpus.tolist(),
            strict=True,
        )
    )
