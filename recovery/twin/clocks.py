"""Clocks of devices: when a reading's own time cannot be right."""

from recovery.twin.source import Source

AHEAD_H = 5.0 / 60.0
"""A reading dated further ahead of the clock than this is held out until its time has come."""
AHEAD_SOURCE = Source(
    "G",
    "Five minutes: the difference that systems which must agree on the time bear with by custom (RFC 4120 names it for"
    " Kerberos); a phone or a device set by a network strays by seconds, so that more is a wrong clock or time zone."
    " Less than the hour in which the twin counts, so that waiting changes no number",
)
MS_AN_HOUR = 3_600_000
AHEAD_MS = round(AHEAD_H * MS_AN_HOUR)


def hours_ahead(at_ms: float, now_ms: float) -> float:
    """How far ahead of the clock a reading is dated, in hours; 0 within what clocks may differ."""
    ahead = (at_ms - now_ms) / MS_AN_HOUR
    return ahead if at_ms - now_ms > AHEAD_MS else 0.0
