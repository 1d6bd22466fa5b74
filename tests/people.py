"""The three people of every permission test, and two more who must stay outside."""

from dataclasses import dataclass
from datetime import UTC, datetime

from recovery.models import Episode, Team, TeamMembership, User
from recovery.services.ingestion import deliver
from tests import deliveries as d

JOINED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Ward:
    """One episode, entrusted to the team of `own`; `other` belongs to another team, `patient` is the patient."""

    episode: Episode
    own: User
    other: User
    patient: User
    administrator: User
    former: User


def make_ward() -> Ward:
    from recovery.audit import Actor

    deliver(delivery=d.enrolment(), actor=Actor.system("test"), now=JOINED, atomic=True)
    episode = Episode.objects.select_related("patient").get()
    ours, theirs = (Team.objects.create(key=key, name=key.title()) for key in ("ward-b", "ward-c"))
    people = {
        name: User.objects.create_user(name, password=f"{name}-long-enough", role=role)
        for name, role in (
            ("own", "clinician"),
            ("other", "clinician"),
            ("patient", "patient"),
            ("administrator", "administrator"),
            ("former", "clinician"),
        )
    }
    TeamMembership.objects.create(team=ours, user=people["own"], since=JOINED)
    TeamMembership.objects.create(team=theirs, user=people["other"], since=JOINED)
    TeamMembership.objects.create(
        team=ours, user=people["former"], since=JOINED, until=datetime(2026, 2, 1, tzinfo=UTC)
    )
    episode.team = ours
    episode.save()
    episode.patient.user = people["patient"]
    episode.patient.save()
    return Ward(episode, **people)
