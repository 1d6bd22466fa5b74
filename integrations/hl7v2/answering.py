"""Acknowledgements: MSH, MSA and, for what is not taken, ERR with segment and field (HL7 v2.5.1 chapter 2.9)."""

from datetime import UTC, datetime

from integrations.hl7v2.errors import Hl7Error
from integrations.hl7v2.message import Header

NOBODY = Header("", "", "", "", "P", "2.5.1")
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": " "}


def acknowledgement(header: Header, code: str, now: datetime, error: Hl7Error | None = None) -> bytes:
    """`code`: AA, AE or AR. In UTF-8, which MSH-18 says."""
    at = now.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    event = _escaped(header.event)
    kind = f"ACK^{event}^ACK" if event else "ACK"
    control = _escaped(header.control_id)
    to = f"{_escaped(header.application)}|{_escaped(header.facility)}"
    ours = f"{now.timestamp():.6f}".replace(".", "")
    charset = "||||||UNICODE UTF-8"
    segments = [
        f"MSH|^~\\&|TWINWEB||{to}|{at}||{kind}|{ours}|{_escaped(header.processing) or 'P'}|2.5.1{charset}",
        f"MSA|{code}|{control}" + (f"|{_escaped(error.words)}" if error is not None else ""),
    ]
    if error is not None:
        segments.append(f"ERR||{_location(error.place)}|{error.code}^^HL70357|E||||{_escaped(error.words)}")
    return ("\r".join(segments) + "\r").encode()


def _location(place: str) -> str:
    """PID-3 as PID^1^3, OBX[2]-5 as OBX^2^5 (ERL)."""
    segment, _, field = place.partition("-")
    name, _, number = segment.partition("[")
    parts = [name, number.rstrip("]") or "1", field]
    return "^".join(part for part in parts if part)


def _escaped(said: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in said)
