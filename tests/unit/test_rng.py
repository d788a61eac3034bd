"""Random streams: named, reproducible, in the open interval, indifferent to one another."""

import os
import subprocess
import sys

import numpy as np
import pytest

from simulator.rng import Stream, stream, uniforms

SIZES = ("workload", "experiments", "sizes")


def test_a_stream_is_the_same_in_every_version() -> None:
    # Made once by this code; numpy promises the raw bits and the seeding, we the rest.
    expected = [0.6077289525479382, 0.6168107395538279, 0.5930443310973784]
    assert uniforms(7, *SIZES, count=3).tolist() == expected


def test_numbers_do_not_depend_on_the_size_of_the_pieces() -> None:
    pieces = stream(7, *SIZES)
    drawn = np.concatenate([pieces.uniforms(n) for n in (1, 0, 999, 24)])
    assert np.array_equal(drawn, uniforms(7, *SIZES, count=1024))


@pytest.mark.parametrize(
    "other",
    [
        (8, *SIZES),
        (7, "workload", "experiments", "arrivals"),
        (7, "workload", "training", "sizes"),
        (7, "workload", "experiments"),
        (7, "experiments", "workload", "sizes"),
    ],
    ids=["seed", "role", "workload", "shorter name", "other order"],
)
def test_streams_of_other_names_and_seeds_differ(other: tuple) -> None:
    seed, *name = other
    here, there = uniforms(7, *SIZES, count=10_000), uniforms(seed, *name, count=10_000)
    # The correlation of independent samples has standard error 1/sqrt(n); five of them.
    assert abs(np.corrcoef(here, there)[0, 1]) < 5 / np.sqrt(10_000)


def test_drawing_from_one_stream_moves_no_other() -> None:
    one, other = stream(7, "a"), stream(7, "b")
    one.uniforms(1000)
    assert np.array_equal(other.uniforms(5), uniforms(7, "b", count=5))


class Bits:
    """A bit generator that always gives the same raw number."""

    def __init__(self, raw: int) -> None:
        self.raw = raw

    def random_raw(self, count: int) -> np.ndarray:
        return np.full(count, self.raw, np.uint64)


@pytest.mark.parametrize(
    ("raw", "share"),
    [(0, 2.0**-53), (2**64 - 1, 1.0 - 2.0**-53), (2**63, 0.5 + 2.0**-53)],
    ids=["all bits 0", "all bits 1", "upper bit"],
)
def test_neither_0_nor_1_can_be_drawn(raw: int, share: float) -> None:
    extreme = Stream(1)
    extreme._bits = Bits(raw)
    assert extreme.uniforms(2).tolist() == [share, share]


def test_numbers_are_uniform() -> None:
    drawn = uniforms(3, "uniform", count=200_000)
    counts, _ = np.histogram(drawn, bins=100, range=(0, 1))
    # Chi-squared with 99 degrees of freedom: mean 99, deviation sqrt(198); five of them.
    chi2 = np.sum((counts - 2000.0) ** 2 / 2000.0)
    assert abs(chi2 - 99) < 5 * np.sqrt(198)
    successive = np.corrcoef(drawn[1:], drawn[:-1])[0, 1]
    assert abs(successive) < 5 / np.sqrt(200_000)


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_draws_the_same(hash_seed: str) -> None:
    code = (
        "from simulator.rng import uniforms; print(uniforms(7, 'a', 'b', count=50).tobytes().hex())"
    )
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Kathmandu"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == uniforms(7, "a", "b", count=50).tobytes().hex()
