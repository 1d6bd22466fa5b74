"""Who operated: by the record, or written by the team where the record is silent. The record wins, and says so."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery.models import Document, Episode, EpisodeChange, User
from recovery.selectors.surgeons import surgeons_known

LONGEST_NAME = 150
OF_A_NAME = "n-"  # so begins what stands for a name alone
RECORD = "the hospital's record"
RECORD_WINS = "The Procedure that the hospital's record sent names who operated."


@dataclass(frozen=True, slots=True)
class Surgeon:
    """`key`: id of the Practitioner, or a mark of the name. Both blank: nobody is named."""

    name: str = ""
    key: str = ""

    @property
    def reference(self) -> str:
        """The Practitioner, where that is a document here; else blank."""
        kinds = () if not self.key or self.key.startswith(OF_A_NAME) else ("Practitioner", "PractitionerRole")
        held = Document.objects.filter(type__in=kinds, fhir_id=self.key, deleted=False).order_by("type")
        kind = held.values_list("type", flat=True).first() if kinds else None
        return f"{kind}/{self.key}" if kind else ""


def surgeon_of(name: str, fhir_id: str = "") -> Surgeon:
    """`fhir_id`: of the Practitioner, or blank where there is only a name."""
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        return Surgeon()
    mark = hashlib.blake2b(name.casefold().encode(), digest_size=8).hexdigest()
    return Surgeon(name, fhir_id or f"{OF_A_NAME}{mark}")


def picked(name: str, user: User, now: datetime) -> Surgeon:
    """Who is meant by a name that was picked or typed: the one Practitioner known by it, or else the name alone."""
    typed = surgeon_of(name)
    same = {
        Surgeon(known, key)
        for key, known in surgeons_known(user, now)
        if known.casefold() == typed.name.casefold() and not key.startswith(OF_A_NAME)
    }
    return same.pop() if len(same) == 1 else typed


def surgeon_state(episode: Episode) -> dict[str, Any]:
    """As an EpisodeChange keeps it."""
    return {"surgeon": episode.surgeon, "key": episode.surgeon_key, "by_hand": episode.surgeon_by_hand}


def told_by_record(fhir_id: str, said: Surgeon, now: datetime) -> Mapping[str, Any]:
    """What a Procedure that comes in makes of its episode's surgeon. Where the team wrote one, silence changes nothing,
    the same name becomes the record's, and another name wins and is kept among the changes."""
    columns = {"surgeon": said.name, "surgeon_key": said.key, "surgeon_by_hand": False}
    episode = Episode.objects.filter(fhir_id=fhir_id, surgeon_by_hand=True).first()
    if episode is None:
        return columns
    if not said.name or (said.name, said.key) == (episode.surgeon, episode.surgeon_key):
        return {}
    if said.name.casefold() != episode.surgeon.casefold():
        EpisodeChange.objects.create(
            episode=episode,
            what=EpisodeChange.What.SURGEON,
            before=surgeon_state(episode),
            after={"surgeon": said.name, "key": said.key, "by_hand": False},
            reason=RECORD_WINS,
            at=now,
            actor_name=RECORD,
        )
    return columns


def note_by_hand(episode: Episode, surgeon: Surgeon, *, is_by_hand: bool) -> None:
    """After the team's own word has gone through the door: whom the episode names, and whose word that is."""
    episode.surgeon, episode.surgeon_key, episode.surgeon_by_hand = surgeon.name, surgeon.key, is_by_hand
    episode.save(update_fields=["surgeon", "surgeon_key", "surgeon_by_hand"])
