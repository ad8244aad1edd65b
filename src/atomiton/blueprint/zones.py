"""Time zones by name."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone, tzinfo


def find_zone(name: str) -> tzinfo:
    """The time zone of a name.

    Args:
        name: ``UTC``, an offset such as ``+02:00``, or a name of the time zone database such as
            ``Europe/Berlin``.

    Raises:
        ValueError: There is none of that name.

    Example:
        >>> find_zone("-03:30")
        datetime.timezone(datetime.timedelta(days=-1, seconds=73800))
    """
    if name in ("", "UTC", "Z"):
        return UTC
    sign = -1 if name[0] == "-" else 1
    hours, colon, minutes = name.lstrip("+-").partition(":")
    if colon and len(name) <= 6 and _is_digits(hours) and _is_digits(minutes):
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset < timedelta(days=1) and int(minutes) < 60:
            return timezone(sign * offset)
    # Few name a zone, so few pay for the import.
    from zoneinfo import ZoneInfo

    try:
        if len(name) > 64 or not name.replace("/", "a").replace("_", "a").isascii():
            raise ValueError
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"no time zone {name[:64]!r}") from None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
