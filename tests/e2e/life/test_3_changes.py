"""Changes of a release while clients stream: no request is lost or cut."""

from ..cases import Case
from ..release import Release
from ..report import Report
from .under_traffic import check

CASES = "changes"


def test_change(release: Release, case: Case, report: Report) -> None:
    check(release, case, report)
