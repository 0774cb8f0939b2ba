"""Faults, one by one, while clients stream."""

from ..cases import Case
from ..release import Release
from ..report import Report
from .under_traffic import check

CASES = "faults"


def test_fault(release: Release, case: Case, report: Report) -> None:
    check(release, case, report)
