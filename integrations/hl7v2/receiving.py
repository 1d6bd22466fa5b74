"""One message from its bytes to its acknowledgement. The answer AA is given after the commit, and never twice for one
deed: the record of the message and what it does are one transaction."""

import hashlib
import logging
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction

from integrations.hl7v2 import message as messages
from integrations.hl7v2.answering import NOBODY, acknowledgement
from integrations.hl7v2.errors import APPLICATION_ERROR, REQUIRED, UNSUPPORTED_VERSION, Hl7Error
from integrations.hl7v2.handling import carry_out
from integrations.hl7v2.message import Header, Message
from recovery.audit import Actor
from recovery.selectors.hl7_messages import answer_before
from recovery.services import hl7_messages
from recovery.services.hl7_messages import TAKEN, Arrived
from recovery.services.turns import taking_turns

logger = logging.getLogger(__name__)


def receive(raw: bytes, *, peer: str, now: datetime) -> bytes:
    """Carry a message out and answer it. Never raises for what it says; a fault of ours is answered AE as well, so that
    the sender keeps the message and sends it again."""
    header = NOBODY
    try:
        header, error = _receive(raw, peer, now)
    except DatabaseError as fault:
        logger.error("an HL7 v2 message could not be stored: %s", type(fault).__name__)
        error = Hl7Error("MSH", "The message could not be stored just now: send it again.", APPLICATION_ERROR)
    except Exception as fault:
        logger.exception("an HL7 v2 message failed")
        error = Hl7Error("MSH", f"Something went wrong here ({type(fault).__name__}): tell the operator.")
        header = _header_of(raw)
        _note(_arrived(header, raw, peer), error, now)
    return acknowledgement(header, error.answer if error else TAKEN, now, error)


def _receive(raw: bytes, peer: str, now: datetime) -> tuple[Header, Hl7Error | None]:
    try:
        read = messages.read(raw)
    except Hl7Error as error:
        header = _header_of(raw)
        _note(_arrived(header, raw, peer), error, now)
        return header, error
    arrived = _arrived(read.header, raw, peer)
    try:
        take(read, arrived, now)
        return read.header, None
    except Hl7Error as error:
        hl7_messages.note_refused(arrived=arrived, answer=error.answer, place=error.place, reason=error.words, now=now)
        return read.header, error


def take(read: Message, arrived: Arrived, now: datetime) -> None:
    """Carry it out unless that was done before. Raises Hl7Error."""
    _check(read.header)
    if answer_before(arrived.sender, arrived.control_id, arrived.digest) == TAKEN:
        hl7_messages.note_again(arrived=arrived, now=now)
        return
    actor = Actor("system", None, f"HL7 v2 {read.header.sender}"[:150])
    # Messages of one sender act one after the other: two about one new patient must not both make it.
    with taking_turns([f"hl7v2 {read.header.sender}"]), transaction.atomic():
        if answer_before(arrived.sender, arrived.control_id, arrived.digest) == TAKEN:
            return
        batch_id = carry_out(read, actor, now)
        hl7_messages.note_taken(arrived=arrived, batch_id=batch_id, now=now)


def retry(row_id: int, user: Any, actor: Actor, now: datetime) -> bool:
    """Carry out a refused message once more, for an administrator; whether it was taken. Raises NotFound."""
    letter = hl7_messages.text_to_retry(row_id=row_id, user=user, actor=actor, now=now)
    raw = letter.text.encode("latin-1", "replace")
    try:
        take(messages.read(raw), letter, now)
        return True
    except Hl7Error as error:
        hl7_messages.note_refused(arrived=letter, answer=error.answer, place=error.place, reason=error.words, now=now)
        return False


def _check(header: Header) -> None:
    if not header.control_id:
        raise Hl7Error("MSH-10", "MSH-10 is required: by it a message sent again is known.", REQUIRED, "AR")
    if header.version and not header.version.startswith("2."):
        raise Hl7Error("MSH-12", "MSH-12: versions 2.x are taken here.", UNSUPPORTED_VERSION, "AR")
    if header.processing and header.processing[0] not in "PTD":
        raise Hl7Error("MSH-11", "MSH-11 is P, T or D.", "202", "AR")


def _arrived(header: Header, raw: bytes, peer: str) -> Arrived:
    text = raw.decode("latin-1").replace("\x00", "?")  # byte by byte, so that it can be carried out again
    return Arrived(header.sender, header.control_id, hashlib.sha256(raw).hexdigest(), header.kind, peer[:64], text)


def _header_of(raw: bytes) -> Header:
    """As much of the header as can be read, so that the sender knows which message is meant."""
    line = raw[:2_000].decode("latin-1").replace("\n", "\r").split("\r")[0].replace("\x00", "")
    if not line.startswith("MSH") or len(line) < 9:
        return NOBODY
    fields = [*line.split(line[3]), *[""] * 12]
    return Header(
        fields[2][:90], fields[3][:90], fields[8][:20], fields[9][:200], fields[10][:3] or "P", fields[11][:10]
    )


def _note(arrived: Arrived, error: Hl7Error, now: datetime) -> None:
    """Garbage is kept as well: somebody sent it, and somebody has to see why."""
    try:
        hl7_messages.note_refused(arrived=arrived, answer=error.answer, place=error.place, reason=error.words, now=now)
    except DatabaseError as fault:
        logger.error("a refused HL7 v2 message could not be kept: %s", type(fault).__name__)
