"""How often each row of a sweep was run, as its shards tell."""

from collections import Counter
from pathlib import Path

from simulator.sweeps import shards


def lines_by_row(folder: Path) -> Counter[int]:
    """Return how often each row stands in the shards, those said to be known aside."""
    found = [read for path in shards.shard_files(folder) for read in shards.read_shard(path)]
    return Counter(row.at for _, row in filter(None, found) if row.status != "known")
