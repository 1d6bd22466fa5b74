"""What a member of staff sets up for themself, and what they have seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import IntegrityError, transaction

from recovery import audit
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.models import Desk, Episode, Look, SavedView
from recovery.models.desk import VISIT_GAP, WEEK

COLUMNS = ("risk", "trend", "age", "owner")
THEMES = ("system", "light", "dark")
# What a filter may ask for; nothing else is kept with a saved view, so that no name gets into an address.
FILTERS = ("state", "lane", "ward", "surgeon", "procedure", "owner", "first_day", "last_day", "changed")
MOST_VIEWS = 20
NOTED_EVERY = timedelta(minutes=1)


def set_board(*, density: str, columns: Sequence[str], trend: str = WEEK, actor: Actor, now: datetime) -> None:
    """How dense the board is, which optional columns it shows, and its trend over a "week" or a "month".

    Raises Invalid for another density.
    """
    if density not in Desk.Density.values:
        raise Invalid("density must be comfortable or dense.", field="density")
    hidden = [name for name in COLUMNS if name not in columns] + ([] if trend == WEEK else [WEEK])
    _keep(actor, {"density": density, "hidden_columns": hidden})


def set_theme(*, theme: str, actor: Actor, now: datetime) -> None:
    if theme not in THEMES:
        raise Invalid(f"theme must be one of {', '.join(THEMES)}.", field="theme")
    _keep(actor, {"theme": theme})


def end_tour(*, actor: Actor, now: datetime) -> None:
    """The first-run tour was taken or put aside: it is not offered again."""
    _keep(actor, {"toured_at": now})


def note_board(*, shown: Mapping[str, list[int]], before: datetime | None, actor: Actor, now: datetime) -> None:
    """Remember what the board showed. `before`: of the board shown last; after VISIT_GAP that one ends a visit."""
    said: dict[str, Any] = {"seen": dict(shown), "seen_at": now}
    if before is not None and now - before < NOTED_EVERY:
        return
    if before is not None and now - before > VISIT_GAP:
        last = Desk.objects.filter(user_id=_person(actor)).values_list("seen", flat=True).first()
        said |= {"before": last or {}, "before_at": before}
    _keep(actor, said)


def note_look(*, episode: Episode, at: datetime, actor: Actor, now: datetime) -> None:
    """The person left the page of an episode, having seen it as of `at`; never later than now, never back in time."""
    at = min(at, now)
    look, made = Look.objects.get_or_create(user_id=_person(actor), episode=episode, defaults={"at": at})
    if not made:
        Look.objects.filter(pk=look.pk, at__lt=at).update(at=at)


def save_view(*, name: str, query: str, actor: Actor, now: datetime) -> SavedView:
    """Keep filters under a name; the same name again replaces them. Raises Invalid without a name or any filter."""
    name, kept = name.strip()[:60], clean_query(query)
    if not name:
        raise Invalid("Give the view a name.", field="name")
    if not kept:
        raise Invalid("Set a filter first: without one it is the whole board.", field="query")
    mine = SavedView.objects.filter(user_id=_person(actor))
    if not mine.filter(name=name).exists() and mine.count() >= MOST_VIEWS:
        raise Conflict(f"At most {MOST_VIEWS} views are kept: delete one first.")
    view, _ = mine.update_or_create(
        user_id=_person(actor), name=name, defaults={"query": kept}, create_defaults={"query": kept, "created_at": now}
    )
    return view


def delete_view(*, key: UUID, actor: Actor, now: datetime) -> None:
    """Raises NotFound: also for somebody else's."""
    if not SavedView.objects.filter(user_id=_person(actor), key=key).delete()[0]:
        raise NotFound("There is no such view.")


def clean_query(query: str) -> str:
    """Only known filters, in a fixed order."""
    sent = dict(parse_qsl(query.lstrip("?")[:600]))
    return urlencode({name: sent[name][:64] for name in FILTERS if sent.get(name)})


def note_practice(*, actor: Actor, now: datetime) -> None:
    """The practice alert of the tour was answered: nothing of it is kept, but who trained is worth knowing."""
    audit.record(actor=actor, now=now, action="practice_alert")


def _keep(actor: Actor, said: dict[str, Any]) -> None:
    if Desk.objects.filter(user_id=_person(actor)).update(**said):
        return
    try:
        with transaction.atomic():
            Desk.objects.create(user_id=_person(actor), **said)
    except IntegrityError:  # made by another of their windows a moment ago
        Desk.objects.filter(user_id=_person(actor)).update(**said)


def _person(actor: Actor) -> int:
    """The row id of the person who acts. Raises Invalid for a system."""
    if actor.kind != "user" or actor.id is None:
        raise Invalid("Only people have a desk.", field="actor")
    return actor.id
