"""What is served, and who changed it: proposal and approval by two people, shadow, and rollback by one.

A clinical model goes into service only when somebody other than its proposer approves (the database refuses anything
else). Going back is one step for one person, because the step is to what was served before. Every change is a row with
who, when and why, and an audit row; twins of another version are rebuilt in the background.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from recovery import audit, queue
from recovery.audit import Actor
from recovery.exceptions import Conflict, Forbidden, Invalid, NotFound
from recovery.models import Episode, ModelChange, ModelVersion, User
from recovery.permissions import check_user_can_steward_models
from recovery.services import refresh, served_models
from recovery.services.model_checks import (
    check_can_be_read,
    check_can_be_served,
    check_card_is_whole,
    check_fits_its_courses,
    fits,
)
from recovery.services.served_models import HYPOTHESES, KINDS, POPULATION
from recovery.services.turns import taking_turns
from recovery.twin.cold_start import VERSION as COLD_START

SHORTEST_REASON = 10
"""Characters: long enough to be a reason, not a tick."""
ONE_AT_A_TIME = "models in service"
"""Changes of what is served take turns: the courses must stay while causes are checked against them and put to work."""


def propose(*, version_id: int, reason: str, user: User, actor: Actor, now: datetime) -> ModelChange:
    """Ask for a version to be put into service. Raises Conflict while another change of that kind waits."""
    check_user_can_steward_models(user)
    version = _version(version_id)
    if version.status == "active":
        raise Conflict("This version is in service already.")
    check_can_be_served(version)
    check_card_is_whole(version)
    return _open(version, _reason(reason), user, actor, now)


def approve(*, change_id: int, reason: str, user: User, actor: Actor, now: datetime) -> ModelChange:
    """Put the proposed version into service. Raises Forbidden for its proposer, Conflict when it was answered."""
    check_user_can_steward_models(user)
    words = _reason(reason)
    with taking_turns([ONE_AT_A_TIME]):
        change = _locked(change_id)
        if change.asked_by_id == user.pk:
            raise Forbidden("Whoever proposes a model cannot approve it: a second person must.")
        version = change.version
        if version is None:
            raise Conflict("The proposal names no version.")
        if version.status == "active":
            raise Conflict("This version went into service meanwhile; refuse the proposal.")
        check_can_be_served(version)
        check_card_is_whole(version)
        check_fits_its_courses(version)
        change.replaced = _served(change.kind)
        _serve(change.kind, version)
        _answer(change, "done", words, user, now)
        _record("model_promoted", change, actor, now)
        _follow_the_courses(change, actor, now)
        _rebuild(change.kind, now)
    return change


def refuse(*, change_id: int, reason: str, user: User, actor: Actor, now: datetime) -> ModelChange:
    """Answer a proposal with no; its proposer withdraws it by the same step."""
    check_user_can_steward_models(user)
    words = _reason(reason)
    with transaction.atomic():
        change = _locked(change_id)
        _answer(change, "withdrawn" if change.asked_by_id == user.pk else "refused", words, user, now)
        _record(f"model_proposal_{change.status}", change, actor, now)
    return change


def roll_back(*, kind: str, reason: str, user: User, actor: Actor, now: datetime) -> ModelChange:
    """Serve again what was served before the version in service. Raises Conflict when that is the shipped model."""
    check_user_can_steward_models(user)
    words = _reason(reason)
    with taking_turns([ONE_AT_A_TIME]):
        current = _served(kind)
        if current is None:
            raise Conflict("The model shipped with the product is in service; there is nothing to go back from.")
        before = served_before(current)
        if before is not None:
            check_can_be_read(before)
        _serve(kind, before)
        change = _done("rollback", kind, before, current, words, user, now)
        _record("model_rolled_back", change, actor, now)
        _follow_the_courses(change, actor, now)
        _rebuild(kind, now)
    return change


def set_shadow(*, version_id: int, on: bool, reason: str, user: User, actor: Actor, now: datetime) -> ModelChange:
    """Let a version run beside the served one, unseen, or stop that."""
    check_user_can_steward_models(user)
    words = _reason(reason)
    with taking_turns([ONE_AT_A_TIME]):
        version = _version(version_id)
        if on:
            check_can_be_served(version)
            check_fits_its_courses(version)
        if on == (version.status == "shadow") or version.status == "active":
            raise Conflict("This version is in service." if version.status == "active" else "That is so already.")
        ModelVersion.objects.filter(pk=version.pk).update(status="shadow" if on else "draft")
        action = "shadow" if on else "unshadow"
        change = _done(action, version.kind, version, _served(version.kind), words, user, now)
        _record(f"model_{action}", change, actor, now)
    return change


def served_before(version: ModelVersion) -> ModelVersion | None:
    """What the newest promotion of this version replaced; None: the model shipped with the product, also where named
    causes belong to other expected courses than those in service."""
    done = ModelChange.objects.filter(version=version, action="promote", status="done").order_by("-answered_at", "-pk")
    change = done.select_related("replaced").first()
    before = change.replaced if change else None
    if before is not None and before.kind == HYPOTHESES and not fits(before, served_models.population().version):
        return None
    return before


def _version(version_id: int) -> ModelVersion:
    version = ModelVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such model version.")
    return version


def _locked(change_id: int) -> ModelChange:
    change = ModelChange.objects.select_for_update(of=("self",)).filter(pk=change_id).first()
    if change is None:
        raise NotFound("There is no such proposal.")
    if change.status != "open":
        raise Conflict(f"This proposal was answered by {change.answered_name}: {change.status}.")
    return change


def _follow_the_courses(change: ModelChange, actor: Actor, now: datetime) -> None:
    """Named causes serve only with the expected courses under which they were learned: when these change, they go out
    of service, and those come back that had gone out with the courses that come back. One more row of history."""
    if change.kind != POPULATION:
        return
    course = change.version.version if change.version else COLD_START
    out = _served(HYPOTHESES)
    if out is not None and fits(out, course):
        return
    back = _gone_with(course)
    if out is None and back is None:
        return
    _serve(HYPOTHESES, back)
    who = change.answered_by or change.asked_by
    followed = _done("follow", HYPOTHESES, back, out, f"{course} is in service.", who, now)
    _record("model_followed", followed, actor, now)


def _gone_with(course: str) -> ModelVersion | None:
    """Causes learned under these courses whose last change was that they went out of service with them."""
    for version in ModelVersion.objects.filter(kind=HYPOTHESES, status="retired").order_by("-pk"):
        last = ModelChange.objects.filter(replaced=version, status="done").order_by("-answered_at", "-pk").first()
        if last is not None and last.action == "follow" and fits(version, course) and _can_be_read(version):
            return version
    return None


def _can_be_read(version: ModelVersion) -> bool:
    try:
        check_can_be_read(version)
    except Invalid:
        return False
    return True


def _reason(text: str) -> str:
    words = " ".join(text.split())
    if not SHORTEST_REASON <= len(words) <= 500:
        raise Invalid(
            f"Give a reason of {SHORTEST_REASON} to 500 characters; it stays with the change.", field="reason"
        )
    return words


def _served(kind: str) -> ModelVersion | None:
    if kind not in KINDS:
        raise NotFound("There is no such kind of model.")
    return ModelVersion.objects.select_for_update().filter(kind=kind, status="active").first()


def _serve(kind: str, version: ModelVersion | None) -> None:
    """First out, then in: the database allows one active version per kind."""
    ModelVersion.objects.filter(kind=kind, status="active").update(status="retired")
    if version is not None:
        ModelVersion.objects.filter(pk=version.pk).update(status="active")


def _open(version: ModelVersion, words: str, user: User, actor: Actor, now: datetime) -> ModelChange:
    try:
        with transaction.atomic():
            change = ModelChange.objects.create(
                kind=version.kind,
                action="promote",
                version=version,
                replaced=_served(version.kind),
                asked_by=user,
                asked_name=user.get_username(),
                asked_at=now,
                reason=words,
            )
            _record("model_proposed", change, actor, now)
    except IntegrityError as problem:
        raise Conflict("Another version of this kind waits for an answer; answer that first.") from problem
    return change


def _done(
    action: str,
    kind: str,
    version: ModelVersion | None,
    replaced: ModelVersion | None,
    words: str,
    user: User,
    now: datetime,
) -> ModelChange:
    return ModelChange.objects.create(
        kind=kind,
        action=action,
        status="done",
        version=version,
        replaced=replaced,
        asked_by=user,
        asked_name=user.get_username(),
        asked_at=now,
        reason=words,
        answered_at=now,
    )


def _answer(change: ModelChange, status: str, words: str, user: User, now: datetime) -> None:
    change.status, change.answer_reason = status, words
    change.answered_by, change.answered_name, change.answered_at = user, user.get_username(), now
    change.save()


def _record(action: str, change: ModelChange, actor: Actor, now: datetime) -> None:
    audit.record(
        actor=actor,
        now=now,
        action=action,
        entity=f"ModelChange/{change.pk}",
        detail={
            "kind": change.kind,
            "version": change.version.version if change.version else "shipped",
            "replaced": change.replaced.version if change.replaced else "shipped",
            "reason": change.answer_reason or change.reason,
        },
    )


def _rebuild(kind: str, now: datetime) -> None:
    """New courses rebuild every twin; a new risk model or new causes look again at those still followed."""
    if kind == POPULATION:
        refresh.owe_all(now=now)
        return
    active = Episode.objects.filter(status=Episode.Status.ACTIVE, surgery_end__isnull=False, surgery_end__lte=now)
    now_ms = int(now.timestamp() * 1000)
    queue.owe(kind=refresh.KIND, dirty=dict.fromkeys(active.values_list("pk", flat=True), now_ms), now=now)
