"""By which clock something may be too old."""

from datetime import UTC, datetime, timedelta

import pytest

from ringback.core.trust import Trust, judge

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("looks", "believed"),
    [
        pytest.param([0, 35], [True, True], id="off for five weeks"),
        pytest.param([36], [False], id="beyond all that is known"),
        pytest.param([-4000, 1], [True, True], id="set back by years and right again"),
        pytest.param([3650, 3650.1, 0.2], [False, False, True], id="wrong at boot, then set"),
        pytest.param([40, 41, 46.9, 47], [False, False, False, True], id="right after a long absence"),
        pytest.param([40, 41, 3650, 3656, 3657], [False, False, False, False, True], id="wrong in two ways"),
        pytest.param(
            [40, 46, 39, 45.9, 46], [False, False, False, False, True], id="set back while it is not believed"
        ),
        pytest.param([40, 47, 80], [False, True, True], id="believed from then on"),
    ],
)
def test_a_clock_is_believed(looks, believed):
    trust, found = Trust(NOON), []
    for days in looks:
        trust = judge(trust, NOON + days * DAY)
        found.append(trust.since is None)
    assert found == believed
