"""A patient's account at a maker of wearables: begun, connected, asked, and ended by whoever wants it to end.

    (begin) -> connected <-> connected (asked, renewed)
    connected -> revoked   the maker refuses: the person took it back there
    connected -> expired   the maker's own consent has run out
    connected -> ended     disconnected here; readings kept or erased
    revoked, expired, ended -> connected   by going through the maker's page again

`state` of OAuth is good once, in the session and for the person that began. Tokens are sealed, and gone with the end.
"""

import logging
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet

from recovery import audit, sealing
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound, RecoveryError
from recovery.links import hash_of_link
from recovery.models import Patient, VendorAsk, VendorLink
from recovery.ports import ports
from recovery.services.erasure import erase_source
from recovery.services.ingestion import deliver
from recovery.vendors import oauth
from recovery.vendors.oauth import Tokens, VendorAway, VendorRefuses
from recovery.vendors.providers import Provider, provider_named
from recovery.vendors.readings import Told, device_of, told_by

logger = logging.getLogger(__name__)

ACTOR = Actor.system("devices")
CHANNEL = "devices"
GOOD_FOR = timedelta(minutes=10)  # to sign in at the maker and to say yes
LEASE = timedelta(seconds=60)  # longer than the three calls of one turn may take
SOON = timedelta(seconds=30)  # an access token that ends so soon is renewed first
RETRY_MOST = timedelta(minutes=15)
WORK_FOR = timedelta(seconds=5)  # of one pass: a slow maker must not keep alerts waiting
FIRST_DAYS = timedelta(days=30)  # how far back is asked when an account is connected
S = VendorLink.Status
Clock = Callable[[], datetime]


class StateRefused(Invalid):
    """What came back from the maker was not begun here, by this person, in this session; or it has been used."""


class StateLate(StateRefused):
    """It was, but too long ago."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What goes to the maker with the person."""

    state: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Way:
    """Who came back: for whom, and what proves to the maker that it is us."""

    patient_id: int
    verifier: str


def begin(
    *, patient_id: int, user_id: int, provider: Provider, session_mark: str, actor: Actor, now: datetime
) -> Begun:
    """A new way to the maker. What this person began before and did not finish is good for nothing any more."""
    begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    with transaction.atomic():
        VendorAsk.objects.filter(user_id=user_id, provider=provider.key, used_at__isnull=True).delete()
        VendorAsk.objects.filter(until__lt=now - timedelta(days=1)).delete()
        VendorAsk.objects.create(
            state_hash=hash_of_link(begun.state),
            patient_id=patient_id,
            user_id=user_id,
            provider=provider.key,
            session_mark=session_mark,
            verifier_sealed=sealing.seal(begun.verifier),
            made_at=now,
            until=now + GOOD_FOR,
        )
        _note("device_connect_begun", patient_id, provider.key, actor, now)
    return begun


def come_back(*, state: str, user_id: int, provider: Provider, session_mark: str, now: datetime) -> Way:
    """Uses the state up: of two who come with it one wins. Raises StateRefused, StateLate."""
    known = VendorAsk.objects.filter(state_hash=hash_of_link(state)).first()
    is_ours = known is not None and (known.user_id, known.provider) == (user_id, provider.key)
    if known is None or not is_ours or not secrets.compare_digest(known.session_mark, session_mark):
        raise StateRefused("This did not begin here.", field="state")
    if not VendorAsk.objects.filter(pk=known.pk, used_at__isnull=True).update(used_at=now):
        raise StateRefused("This was used before.", field="state")
    if known.until < now:
        raise StateLate("This took too long.", field="state")
    return Way(known.patient_id, sealing.unseal(known.verifier_sealed))


def connect(*, patient_id: int, provider: Provider, tokens: Tokens, actor: Actor, now: datetime) -> VendorLink:
    """Keep the tokens, sealed, and make the device known to the record; asked for the first time at the next turn."""
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient_id)
        known = VendorLink.objects.filter(patient=patient, provider=provider.key).first()
        device = known.device if known else f"{provider.key}-{secrets.token_hex(8)}"
        link, _ = VendorLink.objects.update_or_create(
            patient=patient,
            provider=provider.key,
            defaults={
                "status": S.CONNECTED,
                "device": device,
                **_sealed(tokens),
                "connected_at": now,
                "ended_at": None,
                "asked_at": None,
                "since": known.since if known and known.status != S.ENDED else now - FIRST_DAYS,
                "not_before": now,
                "claimed_until": None,
                "attempts": 0,
                "last_error": "",
            },
        )
        made = ports().delivery_of([device_of(device, patient.fhir_id, provider)], CHANNEL)
        deliver(delivery=made, actor=actor, now=now, atomic=True)
        _note("device_connected", patient_id, provider.key, actor, now)
    return link


def disconnect(*, patient_id: int, key: UUID, keep: bool, actor: Actor, now: datetime) -> int:
    """Stop asking, now; tell the maker; erase what came through it unless `keep`. How many rows were erased.

    Raises NotFound; Conflict where the hospital must keep this patient's data for now (then nothing changes).
    """
    with transaction.atomic():
        link = VendorLink.objects.select_for_update().filter(patient_id=patient_id, key=key).first()
        if link is None or link.status == S.ENDED:
            raise NotFound("There is no such device of yours.")
        held = _unsealed(link.refresh_sealed or link.access_sealed)
        _end(link.pk, S.ENDED, now)
        source = f"Device/{link.device}"
        erased = 0 if keep else erase_source(patient_id=patient_id, source=source, actor=actor, now=now)
        _note("device_disconnected", patient_id, link.provider, actor, now, kept=keep)
    try:
        oauth.give_back(provider_named(link.provider), held)
    except NotFound:  # the hospital has no agreement with this maker any more
        logger.warning("a maker that is not known any more could not be told")
    return erased


def _unsealed(sealed: str) -> str:
    """What was sealed; blank where its key is not known any more: then there is nothing to give back."""
    try:
        return sealing.unseal(sealed)
    except Conflict:
        return ""


# ---- asking, turn by turn ---


def ask_due(*, clock: Clock) -> int:
    """Ask every account whose turn has come; returns how many. A maker that fails waits for the next pass."""
    stop_at, asked, away = clock() + WORK_FOR, 0, set[str]()
    while clock() < stop_at:
        link = _lease(away, clock())
        if link is None:
            break
        asked += 1
        if not _take_turn(link, clock):
            away.add(link.provider)
    return asked


def _lease(away: set[str], now: datetime) -> VendorLink | None:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    due = VendorLink.objects.filter(free, status=S.CONNECTED, not_before__lte=now).exclude(provider__in=away)
    for row_id in due.order_by("not_before", "pk").values_list("pk", flat=True)[:20]:
        if due.filter(pk=row_id).update(claimed_until=now + LEASE, attempts=F("attempts") + 1):
            return VendorLink.objects.select_related("patient").get(pk=row_id)
    return None


def _take_turn(link: VendorLink, clock: Clock) -> bool:
    """One turn; False when the maker does not answer."""
    try:
        provider = provider_named(link.provider)
        _ask(link, provider, clock)
    except VendorRefuses:
        _over(link, S.REVOKED, clock())
    except VendorAway as error:
        _wait(link, error.message, clock())
        return False
    except NotFound:
        _wait(link, "The hospital has no agreement with this maker any more.", clock())
    except RecoveryError as error:
        logger.warning("a maker's readings were not taken in: %s", type(error).__name__)
        _wait(link, "Its readings could not be taken in.", clock())
    except DatabaseError:
        raise  # nothing can be written down: the lease runs out by itself
    except Exception as error:  # a fault of ours; the account asked first must not keep all others from their turn
        where = traceback.extract_tb(error.__traceback__)[-1]
        logger.error("asking a maker broke down: %s at %s:%s", type(error).__name__, where.filename, where.lineno)
        _wait(link, "Its readings could not be taken in.", clock())
    return True


def _ask(link: VendorLink, provider: Provider, clock: Clock) -> None:
    """Raises VendorAway, VendorRefuses, and what ingestion raises."""
    now = clock()
    if link.grant_until is not None and link.grant_until <= now:
        return _over(link, S.EXPIRED, now)
    if link.access_until is None or link.access_until <= now + SOON:
        if not link.refresh_sealed:
            return _over(link, S.EXPIRED, now)
        _renew(link, provider, now)
    try:
        said = oauth.ask(provider, access=sealing.unseal(link.access_sealed), since=link.since)
    except VendorRefuses:
        if not link.refresh_sealed:
            raise
        _renew(link, provider, clock())  # a maker may end an access token early
        said = oauth.ask(provider, access=sealing.unseal(link.access_sealed), since=link.since)
    told = told_by(provider, said, patient=link.patient.fhir_id, device=link.device, since=link.since, now=clock())
    _take_in(link, provider, told, clock())
    return None


def _renew(link: VendorLink, provider: Provider, now: datetime) -> None:
    """New tokens, kept before they are used: a maker that rotates refresh tokens gives each once."""
    tokens = oauth.renew(provider, refresh=sealing.unseal(link.refresh_sealed), now=now)
    kept = _sealed(tokens)
    if not _mine(link).update(**kept):
        raise VendorAway("It was connected anew or ended meanwhile.")
    for name, value in kept.items():
        setattr(link, name, value)


def _take_in(link: VendorLink, provider: Provider, told: Told, now: datetime) -> None:
    """The readings and where to go on, together: a crash in between asks for the same again, which is stored once."""
    with transaction.atomic():
        still = VendorLink.objects.select_for_update().filter(pk=link.pk, status=S.CONNECTED).exists()
        if not still:  # disconnected while we asked: nothing of it is taken in
            return
        if told.observations:
            delivery = ports().delivery_of(told.observations, CHANNEL)
            deliver(delivery=delivery, actor=ACTOR, now=now, atomic=True)
        if told.left_out:
            logger.warning("%d rows of %s could not be read", told.left_out, provider.key)
        _mine(link).update(
            since=told.until,
            asked_at=now,
            not_before=now + provider.every,
            claimed_until=None,
            attempts=0,
            last_error="",
        )


def _wait(link: VendorLink, why: str, now: datetime) -> None:
    pause = min(RETRY_MOST, timedelta(seconds=30) * 2 ** min(link.attempts - 1, 10))
    _mine(link).update(claimed_until=None, not_before=now + pause, last_error=why[:200])


def _over(link: VendorLink, status: str, now: datetime) -> None:
    with transaction.atomic():
        if _mine(link).exists():
            _end(link.pk, status, now)
            _note(f"device_{status}", link.patient_id, link.provider, ACTOR, now)


def _mine(link: VendorLink) -> QuerySet[VendorLink]:
    """The row, while the turn is still ours: connecting anew and ending both take it away."""
    return VendorLink.objects.filter(pk=link.pk, status=S.CONNECTED, claimed_until=link.claimed_until)


def _end(row_id: int, status: str, now: datetime) -> None:
    VendorLink.objects.filter(pk=row_id).update(
        status=status,
        ended_at=now,
        access_sealed="",
        refresh_sealed="",
        access_until=None,
        grant_until=None,
        claimed_until=None,
        last_error="",
    )


def _sealed(tokens: Tokens) -> dict[str, object]:
    return {
        "access_sealed": sealing.seal(tokens.access),
        "refresh_sealed": sealing.seal(tokens.refresh),
        "access_until": tokens.access_until,
        "grant_until": tokens.grant_until,
    }


def _note(action: str, patient_id: int, provider: str, actor: Actor, now: datetime, **more: object) -> None:
    audit.record(actor=actor, now=now, action=action, patient_ids=[patient_id], detail={"maker": provider, **more})
