"""Lines and curves go through what they are given."""

import pytest

from plan.curve import curve, line


def test_a_line_goes_through_what_lies_on_one() -> None:
    found = line([(1, 3), (2, 5), (4, 9)])
    assert (found.base, found.each) == (pytest.approx(1), pytest.approx(2))
    assert found.error == pytest.approx(0, abs=1e-9)


def test_a_line_never_says_that_less_than_nothing_is_needed() -> None:
    assert line([(1, 5), (10, 4)]).each == 0
    below = line([(1, 1), (10, 20)])
    assert below.base == 0 and below.each > 0 and below.error > 0.1


def test_a_curve_goes_through_the_means_and_by_lines_between_them() -> None:
    found = curve([(4, 2), (1, 1), (4, 4)])
    assert [found(x) for x in (0, 1, 2, 4)] == pytest.approx([1, 1, 5 / 3, 3])


def test_a_curve_never_falls() -> None:
    assert [curve([(1, 5), (2, 3), (4, 9)])(x) for x in (1, 2, 3, 4)] == [5, 5, 7, 9]


def test_a_curve_goes_on_as_steep_as_it_was() -> None:
    assert curve([(1, 1), (2, 1), (4, 5)])(6) == 9  # as between the last two
    assert curve([(1, 1), (2, 4), (4, 4)])(7) == 7  # as between the first and the last
    assert curve([(1, 2)])(9) == 2


def test_a_tilted_curve_has_more_for_each() -> None:
    tilted = curve([(1, 1), (3, 3)]).tilted(0.5)
    assert [tilted(x) for x in (1, 2, 5)] == pytest.approx([1.5, 3, 7.5])
