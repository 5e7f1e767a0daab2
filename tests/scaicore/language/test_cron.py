"""Times that come again, across changes of clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaicore.language.cron import find_next

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def following(cron, start, count):
    """The next times in Amsterdam, as clocks there show them."""
    found, after = [], datetime.fromisoformat(start).replace(tzinfo=AMSTERDAM)
    for _ in range(count):
        after = find_next(cron, "Europe/Amsterdam", after)
        found.append(after.astimezone(AMSTERDAM).strftime("%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("cron", "start", "times"),
    [
        ("30 2 * * *", "2026-03-28T12:00", ["29 03:00", "30 02:30"]),
        ("30 2 * * *", "2026-10-24T12:00", ["25 02:30", "26 02:30"]),
        ("*/30 * * * *", "2026-10-25T01:45", ["25 02:00", "25 02:30", "25 02:00", "25 02:30", "25 03:00"]),
        ("0 9 * * 1-5", "2026-11-27T10:00", ["30 09:00", "01 09:00"]),
        ("0 0 * * 7", "2026-11-26T10:00", ["29 00:00", "06 00:00"]),
    ],
)
def test_clocks_that_change_leave_out_nothing_and_double_nothing(cron, start, times):
    assert following(cron, start, len(times)) == times


# The first look at a time zone reads a file.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["* * * * *", "*/7 3 * * *", "0 0 1 * *", "15 2 * 3,10 0", "59 23 31 12 *"]),
    st.sampled_from(["UTC", "Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_the_next_time_is_always_later_and_its_own_next_later_still(after, cron, timezone):
    first = find_next(cron, timezone, after)
    assert after < first < after + timedelta(days=366 * 2)
    assert first < find_next(cron, timezone, first)


@pytest.mark.parametrize("cron", ["", "* * * *", "61 * * * *", "0 0 31 2 *", "5-1 * * * *", "x"])
def test_what_is_no_schedule_is_an_error(cron):
    with pytest.raises(ValueError):
        find_next(cron, "UTC", datetime(2026, 1, 1, tzinfo=UTC))
