"""Columns of results that are there only where a run has what they tell of."""

from typing import Final

from simulator.column import Column, absent, category, count, number

RUN: Final = number("run_s", "s", "Time that it held its accelerators, within the counted period")

RESTARTS: Final[tuple[Column, ...]] = (
    count(
        "restarts",
        "Times within the counted period that a failed node ended it and sent it back to the "
        "queue; start_s and wait_s are of its first start",
    ),
    RUN,
    number(
        "lost_s",
        "s",
        "Part of run_s that failures made worthless: since its last checkpoint, or its start",
    ),
)
"""Columns of ``jobs.parquet`` that are there where nodes can fail."""

PREEMPTIONS: Final[tuple[Column, ...]] = (
    RUN,
    count(
        "preemptions",
        "Times within the counted period that it was preempted and sent back to the queue; start_s "
        "and wait_s are of its first start",
    ),
    number(
        "preempted_s",
        "s",
        "Part of run_s that preemption cost: since its last checkpoint, or its start; while its "
        "state was saved; and before it worked again",
    ),
    number(
        "waited_again_s",
        "s",
        "Time within the counted period that it waited to go on, after it was preempted or lost a "
        "node",
    ),
)
"""Columns of ``jobs.parquet`` that are there where jobs are preempted."""

SHARED: Final[tuple[Column, ...]] = (
    absent(
        "slowdown_interference",
        "1",
        "Time that it ran, up to the run's end, over the time that the same work takes alone; "
        "null if it did not run",
    ),
    absent(
        "shared_share",
        "1",
        "Share of the time that it ran, up to the run's end, in which others were on its "
        "accelerator; null if it did not run",
    ),
    absent(
        "accelerator_utilisation",
        "1",
        "Busy share of its accelerators over the time that it ran, up to the run's end, by the "
        "work of all jobs on them; null if it did not run",
    ),
    number(
        "gpu_hours_held",
        "GPU-h",
        "Accelerators held times time within the counted period; of one shared by n jobs each "
        "holds 1/n",
    ),
)
"""Columns of ``jobs.parquet`` that are there where jobs may share accelerators."""


SPANS: Final[tuple[Column, ...]] = (
    Column("nodes", "int64", "1", "Nodes of its last run; null if it held nothing", True),
    Column(
        "racks",
        "int64",
        "1",
        "Racks in which these nodes lie; null if it held nothing, or its cluster has no racks",
        True,
    ),
)
"""Columns of ``jobs.parquet`` that are there where some cluster has racks."""

SUPPLY: Final[tuple[Column, ...]] = (
    Column("time", "time", "UTC", "Start of the interval"),
    category("site", "Site with supply of its own"),
    number("load_kwh", "kWh", "Facility energy of the site in the interval"),
    absent("solar_kwh", "kWh", "What its solar plant could give; null where there is none"),
    absent("wind_kwh", "kWh", "What its wind plant could give; null where there is none"),
    number("charged_kwh", "kWh", "Energy into the storage, at its terminals"),
    number("discharged_kwh", "kWh", "Energy out of the storage, at its terminals"),
    number("stored_kwh", "kWh", "Energy inside the storage at the end of the interval"),
    number("curtailed_kwh", "kWh", "Generation that neither load nor storage took"),
    number("grid_kwh", "kWh", "Energy drawn from the grid, for the load and to charge"),
    number("losses_kwh", "kWh", "Energy lost in charging, discharging and storing"),
    number("contracted_kwh", "kWh", "Energy that contracts matched by the hour delivered"),
    number("covered_kwh", "kWh", "Part of the grid's energy that these contracts cover"),
    number(
        "cfe_kwh",
        "kWh",
        "Carbon-free part of the load: from the site's generation, at once or out of storage, or "
        "covered by a contract in its hour",
    ),
    number("intensity_average_g_per_kwh", "gCO2e/kWh", "Average intensity of the site's grid"),
)
"""Columns of ``supply.parquet``, one row per interval and site with supply."""

SUPPLY_SUMMARY: Final[tuple[Column, ...]] = (
    absent("solar_kwh", "kWh", "What solar plants could give; null where there is none"),
    absent("wind_kwh", "kWh", "What wind plants could give; null where there is none"),
    absent(
        "grid_kwh",
        "kWh",
        "Energy drawn from the grids of all sites, for loads and to charge; null where no site has "
        "supply, so that it is the facility energy",
    ),
    absent(
        "curtailed_kwh",
        "kWh",
        "Generation that neither load nor storage took; null where no site has supply",
    ),
    absent("charged_kwh", "kWh", "Energy into storage, at its terminals; null without storage"),
    absent(
        "discharged_kwh", "kWh", "Energy out of storage, at its terminals; null without storage"
    ),
    absent(
        "stored_change_kwh",
        "kWh",
        "Change of what is stored over the counted time; null without storage",
    ),
    absent(
        "storage_losses_kwh",
        "kWh",
        "Energy lost in charging, discharging and storing; null without storage",
    ),
    absent(
        "contracted_kwh",
        "kWh",
        "Energy that contracts matched by the hour delivered; null where there is none",
    ),
    absent(
        "covered_kwh",
        "kWh",
        "Part of the grid's energy that these contracts cover; null where there is none",
    ),
    absent(
        "cfe_score_hourly",
        "1",
        "Carbon-free part of the facility energy, hour by hour: own generation, at once or out of "
        "storage, and contracts matched by the hour; null where no site has supply",
    ),
    absent(
        "cfe_score_annual",
        "1",
        "Generation that was taken and all contracted volumes over facility energy, at most 1; "
        "null where no site has supply",
    ),
    absent(
        "scope3_supply_kgco2e",
        "kgCO2e",
        "Embodied carbon of generation and storage on the sites, straight line over calendar "
        "lifetime; null where no site has supply",
    ),
)
"""Keys of ``summary.json`` that are null where no site has supply of its own."""
