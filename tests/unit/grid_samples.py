"""A sample of some ten lines of every format of grid traces, and how each is written and opened."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simulator.scenario.grid import GridFile
from simulator.traces.findings import Findings
from simulator.traces.grid_file import read_grid
from simulator.traces.series_file import SeriesTable

# ruff: noqa: E501 - lines are as the files have them

ELECTRICITY_MAPS_OLD = """\
Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage,Renewable Percentage
2022-01-01 00:00:00,Sweden,South Central Sweden,SE-SE3,11.5,26.5,97.1,55.2
2022-01-01 01:00:00,Sweden,South Central Sweden,SE-SE3,12,27.25,97,55
2022-01-01 02:00:00,Sweden,South Central Sweden,SE-SE3,,28,96.9,54.9
2022-01-01 03:00:00,Sweden,South Central Sweden,SE-SE3,10.75,25,97.4,55.8
"""

ELECTRICITY_MAPS_NEW = """\
Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO2eq/kWh (direct),Carbon intensity gCO2eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),Renewable energy percentage (RE%),Data source,Data estimated,Data estimation method
2024-01-01 00:00:00,Germany,Germany,DE,200,250,60,58,entsoe.eu,false,
2024-01-01 00:00:00,France,France,FR,20,35,95,30,rte-france.com,false,
2024-01-01 01:00:00,Germany,Germany,DE,210,260,59,57,entsoe.eu,true,TIME_SLICER_AVERAGE
2024-01-01 01:00:00,France,France,FR,21,36,95,30,rte-france.com,false,
2024-01-01 02:00:00,Germany,Germany,DE,220,270,58,56,entsoe.eu,false,
2024-01-01 02:00:00,France,France,FR,22,37,95,30,rte-france.com,false,
"""

WATTTIME = """\
{"data": [
  {"point_time": "2023-07-01T00:00:00+00:00", "value": 1000.0, "version": "2023-03-01"},
  {"point_time": "2023-07-01T00:05:00+00:00", "value": 870.5, "version": "2023-03-01"},
  {"point_time": "2023-07-01T00:10:00+00:00", "value": -20.0, "version": "2023-03-01"},
  {"point_time": "2023-07-01T00:15:00+00:00", "value": null, "version": "2023-03-01"},
  {"point_time": "2023-07-01T00:20:00+00:00", "value": 0, "version": "2023-03-01"}
],
 "meta": {"region": "CAISO_NORTH", "signal_type": "co2_moer", "units": "lbs_co2_per_mwh",
          "data_point_period_seconds": 300, "model": {"date": "2023-03-01"}}}
"""

EIA_930 = """\
Balancing Authority,Data Date,Hour Number,UTC Time at End of Hour,Demand (MW),Net Generation (MW) from Coal,Net Generation (MW) from Natural Gas,Net Generation (MW) from Natural Gas (Imputed),Net Generation (MW) from Natural Gas (Adjusted),Net Generation (MW) from Nuclear (Adjusted),Net Generation (MW) from Pumped Storage  (Adjusted),Net Generation (MW) from Solar without Integrated Battery Storage (Adjusted),Net Generation (MW) from Solar witho Integrated Battery Storage (Adjusted),Net Generation (MW) from Other Fuel Sources (Adjusted)
CISO,01/01/2025,1,01/01/2025 9:00:00 AM,"22,000",,"9,999",9,"10,000","2,000",-500,-10,,500
PJM,01/01/2025,1,01/01/2025 9:00:00 AM,"90,000","20,000","40,000",,"40,000","33,000",100,,,700
CISO,01/01/2025,2,01/01/2025 10:00:00 AM,"21,500",,"9,000",,"9,000","2,000",300,"1,000",200,500
PJM,01/01/2025,2,01/01/2025 10:00:00 AM,"89,000","21,000","39,000",,"39,000","33,000",100,,,700
CISO,01/01/2025,3,01/01/2025 11:00:00 AM,"21,000",,"8,000",,"8,000",,0,"3,000",400,500
CISO,01/01/2025,4,01/01/2025 12:00:00 PM,"20,000",,"7,000",,"7,000","2,000",0,"5,000",400,500
CISO,01/01/2025,5,01/01/2025 1:00:00 PM,"20,000",,"6,500",,"6,500","2,000",0,"6,000",400,500
"""

_ENTSO_E_ROWS = [
    ("00:00", "BZN", "Wind Onshore", "20000", ""),
    ("00:00", "BZN", "Fossil Brown coal/Lignite", "10000", ""),
    ("00:00", "BZN", "Hydro Pumped Storage", "1500", "200"),
    ("00:00", "CTY", "Wind Onshore", "21000", ""),
    ("00:15", "BZN", "Wind Onshore", "18000", ""),
    ("00:15", "BZN", "Fossil Brown coal/Lignite", "12000", ""),
    ("00:15", "BZN", "Hydro Pumped Storage", "0", "900"),
    ("00:30", "BZN", "Wind Onshore", "16000", ""),
    ("00:30", "BZN", "Fossil Brown coal/Lignite", "12000", ""),
    ("00:45", "BZN", "Wind Onshore", "15000", ""),
    ("00:45", "BZN", "Fossil Brown coal/Lignite", "15000", ""),
]
_ENTSO_E_NAMES = (
    "DateTime(UTC)", "ResolutionCode", "AreaCode", "AreaDisplayName", "AreaTypeCode",
    "AreaMapCode", "ProductionType", "ActualGenerationOutput[MW]", "ActualConsumption[MW]",
    "UpdateTime(UTC)",
)  # fmt: skip
ENTSO_E = "\n".join(
    "\t".join(row)
    for row in [
        _ENTSO_E_NAMES,
        *(
            (f"2023-05-01 {time}:00.000", "PT15M", "10Y1001A1001A82H", "DE-LU", area, "DE_LU",
             kind, made, used, "2023-05-02 08:11:12")
            for time, area, kind, made, used in _ENTSO_E_ROWS
        ),
    ]
) + "\n"  # fmt: skip

CARBON_AWARE_SDK = """\
[
  {"location": "eastus", "time": "2022-03-01T15:30:00-08:00", "rating": 360.5, "duration": "00:05:00"},
  {"location": "westus", "time": "2022-03-01T15:30:00-08:00", "rating": 200, "duration": "00:05:00"},
  {"location": "eastus", "time": "2022-03-01T15:35:00-08:00", "rating": 365, "duration": "00:05:00"},
  {"location": "eastus", "time": "2022-03-01T15:40:00-08:00", "rating": 370, "duration": "00:05:00"}
]
"""

CSV = """\
timestamp_utc,region,average_g_per_kwh
2022-01-01T00:00:00Z,A,100
2022-01-01T01:00:00Z,A,200
2022-01-01T02:00:00Z,A,300
"""


def opendc(times_ms: Any = (1_640_995_200_000, 1_640_998_800_000), kind: Any = None) -> bytes:
    """Return a carbon trace of OpenDC, by default of the first two hours of 2022."""
    kind = kind or pa.timestamp("ms")
    times = pa.array(list(times_ms), pa.int64()).cast(kind)
    table = pa.table({"timestamp": times, "carbon_intensity": [29.001, 28.865]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Sample:
    """A file of one format, what a scenario says of it, and what it holds."""

    name: str
    content: str | bytes
    keys: dict[str, Any]
    first: str
    step_ms: int
    values: list[float | None]
    basis: Any = "average"
    rows: list[int] = field(default_factory=list)


H, MIN = 3_600_000, 60_000
LB = 0.45359237
SAMPLES = {
    "electricity-maps": Sample(
        "SE-SE3_2022_hourly.csv",
        ELECTRICITY_MAPS_OLD,
        {"factor": "direct"},
        "2022-01-01T00:00",
        H,
        [11.5, 12.0, None, 10.75],
        rows=[2, 3, 4, 5],
    ),
    "watttime": Sample(
        "historical.json",
        WATTTIME,
        {},
        "2023-07-01T00:00",
        5 * MIN,
        [1000 * LB, 870.5 * LB, -20 * LB, None, 0.0],
        basis="marginal",
        rows=[1, 2, 3, 4, 5],
    ),
    "eia-930": Sample(
        "EIA930_BALANCE_2025_Jan_Jun.csv",
        EIA_930,
        {"factor": "life-cycle", "region": "CISO"},
        "2025-01-01T08:00",
        H,
        [
            (10_000 * 490 + 2_000 * 12 + 500 * 230) / 12_500,
            (9_000 * 490 + 2_000 * 12 + 1_200 * 41 + 500 * 230) / 12_700,
            None,
            (7_000 * 490 + 2_000 * 12 + 5_400 * 41 + 500 * 230) / 14_900,
            (6_500 * 490 + 2_000 * 12 + 6_400 * 41 + 500 * 230) / 15_400,
        ],
        rows=[2, 4, 6, 7, 8],
    ),
    "entso-e": Sample(
        "2023_05_AggregatedGenerationPerType_16.1.B_C_r3.csv",
        ENTSO_E,
        {"factor": "direct", "region": "DE_LU", "where": {"AreaTypeCode": "BZN"}},
        "2023-05-01T00:00",
        15 * MIN,
        [10 * 760 / 30, 12 * 760 / 30, 12 * 760 / 28, 15 * 760 / 30],
        rows=[2, 6, 9, 11],
    ),
    "carbon-aware-sdk": Sample(
        "emissions.json",
        CARBON_AWARE_SDK,
        {"region": "eastus"},
        "2022-03-01T23:30",
        5 * MIN,
        [360.5, 365.0, 370.0],
        rows=[1, 3, 4],
    ),
    "opendc": Sample(
        "carbon.parquet", opendc(), {}, "2022-01-01T00:00", H, [29.001, 28.865], rows=[1, 2]
    ),
    "csv": Sample(
        "plain.csv",
        CSV,
        {"time": "timestamp_utc", "value": "average_g_per_kwh", "unit": "g/kWh"},
        "2022-01-01T00:00",
        H,
        [100.0, 200.0, 300.0],
        rows=[2, 3, 4],
    ),
}


def written(folder: Path, form: str, content: str | bytes | None = None) -> Path:
    """Write the sample of a format, or another content under its name."""
    sample = SAMPLES[form]
    text = sample.content if content is None else content
    path = folder / sample.name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def source_of(path: Path, form: str, **keys: Any) -> GridFile:
    """Return a file as a scenario names it."""
    said = {**SAMPLES[form].keys, **keys}
    said = {key: value for key, value in said.items() if value is not None}
    return GridFile(text=path.name, path=path, format=form, **said)


def read(path: Path, form: str, basis: Any = None, **keys: Any) -> tuple[SeriesTable, Findings]:
    """Read a file, and return what it holds and what was found."""
    findings = Findings(path.name, "")
    basis = basis or SAMPLES[form].basis
    table = read_grid(source_of(path, form, **keys), basis, findings)
    findings.check()
    return table, findings
