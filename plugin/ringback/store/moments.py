"""Time as it is stored: integer microseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def maybe_micros(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def span_micros(span: timedelta) -> int:
    return span // _MICROSECOND


def moment_of(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def maybe_moment_of(value: int | None) -> datetime | None:
    return None if value is None else moment_of(value)


def maybe_span_of(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(microseconds=value)
