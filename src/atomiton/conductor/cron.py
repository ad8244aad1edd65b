"""Moments of schedules: five fields of cron in a time zone.

A moment that the clock leaps over in spring is right after the leap; one that it shows twice in
autumn is the first of the two. Expressions whose minute or hour begins with ``*`` follow elapsed
time instead: they go on through both hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from atomiton.errors import AtomitonError

_SHORT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def expression(cron: str) -> str:
    """A cron expression in five fields, also of one that is a word.

    Example:
        >>> expression("@daily")
        '0 0 * * *'
    """
    return _SHORT.get(cron.strip(), cron)


def moments(cron: str, zone: str, after: float) -> Iterator[float]:
    """The moments of a schedule after one, seconds since 1970, UTC.

    Raises:
        AtomitonError: The expression or the name of the time zone means nothing.

    Example:
        >>> from itertools import islice
        >>> list(islice(moments("*/5 * * * *", "UTC", 60.0), 2))
        [300.0, 600.0]
    """
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise AtomitonError(f"there is no time zone {zone!r}", code="INVALID_INPUT") from error
    try:
        found = CronSim(expression(cron), datetime.fromtimestamp(after, place))
    except CronSimError as error:
        message = f"the schedule {cron!r} has no moments: {error}"
        raise AtomitonError(message, code="INVALID_INPUT") from error
    return (moment.astimezone(UTC).timestamp() for moment in found)
