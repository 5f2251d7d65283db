"""Contours of one plane that overlap or cross themselves, and parts that a plane lacks, by small squares."""

from __future__ import annotations

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.contour_misfits import misfits
from sarcoma_pipeline.curation.dose_volume.planes import Planes


def box(x: float, y: float = 0, width: float = 10, height: float = 10) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], float)


def told(*planes: list[np.ndarray]) -> dict[str, str]:
    positions = np.arange(0.0, 3.0 * len(planes), 3.0)
    outlines = [(one, number) for number, of in enumerate(planes) for one in of]
    made = Planes(
        np.eye(3), positions, positions - 1.5, positions + 1.5, tuple(one for one, _ in outlines),
        tuple(number for _, number in outlines),
    )  # fmt: skip
    return {one.id: one.value for one in misfits(made)}


@pytest.mark.parametrize(
    ("outlines", "pairs"),
    [
        ([box(0), box(20)], 0),
        ([box(0), box(10)], 0),  # one edge in common
        ([box(0), box(0, 20)], 0),
        ([box(0), box(5)], 1),
        ([box(0), box(5, 5)], 1),
        ([box(0), box(2, 2, 6, 6)], 0),  # a hole
        ([box(0), box(0)], 0),  # told as repeated before
        ([box(0), box(5), box(2, 5)], 3),
        ([box(0), box(5), box(-5, 5)], 2),
        ([box(0), box(5), box(40), box(45)], 2),
        # Their boxes overlap, and they do not.
        ([np.array([[0, 0], [10, 0], [0, 10.0]]), np.array([[10, 10], [10, 1], [1, 10.0]])], 0),
    ],
)
def test_two_contours_of_one_plane_overlap_if_each_lies_in_the_other_in_part(outlines, pairs):
    expected = {"contours.overlap": str(pairs)} if pairs else {}
    assert told(outlines) == told(outlines[::-1]) == expected
    # On planes of their own they overlap nothing.
    assert "contours.overlap" not in told(*([one] for one in outlines))


def wedge(within: int) -> np.ndarray:
    """A hundred points: so many of them at its tip, which lies in :data:`OTHER`, the others on its base."""
    tip = [(10.0, y) for y in np.linspace(4.5, 5.5, within)]
    return np.array([*tip, *((0.0, y) for y in np.linspace(10, 0, 100 - within))])


OTHER = np.array([[8, 5], [20, 0], [20, 10.0]])


@pytest.mark.parametrize(("within", "overlap"), [(2, False), (3, True), (97, True), (98, False)])
def test_contours_overlap_from_above_two_percent_of_the_points_to_below_98(within, overlap):
    found = told([wedge(within), OTHER])
    assert found.get("contours.overlap") == ("1" if overlap else None)


def looped(size: float) -> np.ndarray:
    """A square of 100 mm² with a loop at one corner: the areas are 100 ± size² by the two ways."""
    end = 10 + size
    return np.array(
        [[0, 0], [10, 0], [10, 10], [10, end], [end, end], [end, 10], [10, 10], [0, 10.0]],
    )


@pytest.mark.parametrize(("size", "crosses"), [(1, False), (2, True), (9, True)])
def test_a_contour_crosses_itself_if_its_areas_differ_by_more_than_five_percent(size, crosses):
    """2 of 101 mm² are 2 %, 8 of 104 mm² are 8 %."""
    assert told([looped(size)]) == ({"contours.self-crossing": "1"} if crosses else {})
    mirrored = looped(size)[:, ::-1]
    assert told([mirrored]) == ({"contours.self-crossing": "1"} if crosses else {})


BOTH, ONE, OTHER_ONE = [box(0), box(20)], [box(0)], [box(20)]


@pytest.mark.parametrize(
    ("planes", "missing"),
    [
        ([BOTH, ONE, BOTH], "1 of 3 planes"),
        ([BOTH, ONE, BOTH, BOTH], "1 of 4 planes"),
        ([BOTH, BOTH, ONE, BOTH], "1 of 4 planes"),
        ([BOTH, ONE, BOTH, OTHER_ONE, BOTH], "2 of 5 planes"),
        # A part may begin and end; nobody knows of the first and the last plane.
        ([ONE, BOTH, BOTH], None),
        ([BOTH, BOTH, ONE], None),
        ([BOTH, ONE, ONE], None),
        ([ONE, BOTH, ONE], None),
        # Two planes without it are no single forgotten one.
        ([BOTH, ONE, ONE, BOTH], None),
        # The part before and the one after have nothing in common, or an edge only.
        ([[box(0), box(20)], ONE, [box(0), box(40)]], None),
        ([[box(0), box(20)], ONE, [box(0), box(30)]], None),
        ([[box(0), box(20)], ONE, [box(0), box(20, 10)]], None),
        # It moved, and still shares something with the one before and after; an edge is nothing.
        ([BOTH, [box(0), box(25)], BOTH], None),
        ([BOTH, [box(0), box(30)], BOTH], "1 of 3 planes"),
    ],
)
def test_a_plane_without_a_part_that_both_its_neighbours_have(planes, missing):
    expected = {"contours.part-missing": missing} if missing else {}
    assert told(*planes) == told(*planes[::-1]) == expected


def test_all_three_are_told_together():
    bowtie = np.array([[0, 0], [10, 10], [10, 0], [0, 10.0]])
    assert told([*BOTH, box(25)], [bowtie], BOTH) == {
        "contours.overlap": "1", "contours.self-crossing": "1", "contours.part-missing": "1 of 3 planes",
    }  # fmt: skip
