"""Which walking aid was in use when, from what the hospital sent about it."""

from collections.abc import Sequence
from datetime import datetime
from math import inf

from recovery.models import Device, Episode, Finding
from recovery.twin.gait_aid import AIDS, AidUse, aid_named

GAIT_AID = "gait_aid"
"""Key of such a finding: "gait_aid.frame", or "gait_aid" where only a Device, named by `code`, says which."""
DEVICE_USE = "DeviceUseStatement"


def uses_of(episode: Episode, findings: Sequence[Finding]) -> tuple[AidUse, ...]:
    """In hours after surgery end. A DeviceUseStatement speaks for its own period; one without an end, and what was
    observed, hold until the aid in use is observed again, or the patient says what it is."""
    said = [one for one in findings if one.key.partition(".")[0] == GAIT_AID and one.onset_at]
    if not said:
        return ()
    names = _devices(said)
    told = [(one, one.key.partition(".")[2] or aid_named(names.get(one.code, ""))) for one in said]
    known = sorted(((one, aid) for one, aid in told if aid in AIDS), key=lambda pair: _start(pair[0]))
    return tuple(
        AidUse(aid, _hour(episode, _start(one)), _end(episode, one, [other for other, _ in known[place + 1 :]]))
        for place, (one, aid) in enumerate(known)
    )


def _start(one: Finding) -> datetime:
    assert one.onset_at is not None  # noqa: S101  # uses_of leaves the others out
    return one.onset_at


def _end(episode: Episode, one: Finding, later: Sequence[Finding]) -> float:
    if one.ended_at is not None:
        return _hour(episode, one.ended_at)
    again = (other for other in later if other.document_type != DEVICE_USE)
    return next((_hour(episode, _start(other)) for other in again), inf)


def _hour(episode: Episode, at: datetime) -> float:
    return (at - episode.day_zero).total_seconds() / 3600.0


def _devices(said: Sequence[Finding]) -> dict[str, str]:
    """ "Device/x" -> what that Device is called, for findings that leave it to their device."""
    wanted = {one.code.removeprefix("Device/") for one in said if one.key == GAIT_AID}
    rows = Device.objects.filter(fhir_id__in=wanted).values_list("fhir_id", "kind", "name") if wanted else ()
    return {f"Device/{fhir_id}": f"{kind} {name}" for fhir_id, kind, name in rows}
