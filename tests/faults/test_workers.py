"""Workers that die, hang or fail: the others' runs stand, and the table is the same."""

import pytest

from tests.faults.running import Place, document


@pytest.mark.parametrize("deed", ["kill_once", "fork_and_die", "terminate_once"])
def test_a_worker_that_dies_once_costs_nothing(place: Place, deed: str) -> None:
    place.write(deed=deed, at=6)
    expected = place.undisturbed()
    place.resumed()
    assert place.table == expected
    assert place.each_row_once()


def test_what_one_point_does_is_that_points_failure(place: Place) -> None:
    place.write(deed="kill", at=5, seeds=1)
    code, out, err = place.run("--json")
    assert code == 1, err
    said = document(out)
    assert (said["done"], said["failed"], said["runs"]) == (9, 1, 10)
    assert place.errors == {
        3: "its process was killed by SIGKILL; out of memory is the usual cause (3 times)"
    }
    assert place.each_row_once()
