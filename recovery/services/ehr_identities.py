"""Linking a person of an EHR with a person here."""

from datetime import datetime

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Invalid, NotFound
from recovery.models import EhrIdentity, User
from recovery.selectors.ehr import relative


def link(*, issuer: str, fhir_user: str, username: str, actor: Actor, now: datetime) -> None:
    """From now on that fhirUser of that EHR opens our pages as `username`. A link that stands is moved."""
    if not issuer.strip() or not fhir_user.strip():
        raise Invalid("Name the EHR's FHIR address and the fhirUser.", field="fhir_user")
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound("There is no such person.")
    issuer = issuer.strip().rstrip("/")
    row, _ = EhrIdentity.objects.update_or_create(
        issuer=issuer,
        fhir_user=relative(fhir_user.strip(), issuer),
        defaults={"user": user},
        create_defaults={"user": user, "created_at": now},
    )
    audit.record(actor=actor, now=now, action="link_ehr_user", entity=f"EhrIdentity/{row.pk}", detail={"user": user.pk})


def unlink(*, issuer: str, fhir_user: str, actor: Actor, now: datetime) -> None:
    issuer = issuer.strip().rstrip("/")
    rows = EhrIdentity.objects.filter(issuer=issuer, fhir_user=relative(fhir_user.strip(), issuer))
    for row in rows:
        audit.record(actor=actor, now=now, action="unlink_ehr_user", entity=f"EhrIdentity/{row.pk}")
    rows.delete()
