"""One call of the FHIR door: who calls, with which scopes, when, and under which address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils import timezone

from integrations.fhir.interactions import Place
from integrations.fhir.outcomes import FhirError, Issue, refused
from integrations.fhir.reach import Holder, Reach
from integrations.fhir.routes import ROUTES, Route, route_of
from integrations.smart import scopes
from integrations.smart.scopes import Grants
from recovery import audit
from recovery.audit import Actor
from recovery.selectors.reach import person_reach
from recovery.services.connections import Caller, authenticate

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fhir"'}
LONGEST_QUERY = 2_000
# Parameters whose values tell who somebody is, also at the end of a chain and with a modifier.
_NAMES_A_PERSON = re.compile(
    r"(?:^|[.:])(?:name|family|given|phonetic|birthdate|death-date|address[a-z-]*|phone|email|telecom|identifier"
    r"|_text|_content)(?::[A-Za-z-]+)?$"
)
_PREFER_RETURN = ("minimal", "representation", "OperationOutcome")


@dataclass(frozen=True, slots=True)
class Call:
    """`prefer`: the Prefer header's wishes by name ("return", "handling").

    What the caller may do is asked of `reach` (see `integrations.fhir.reach`); `grants` are the words of the token.
    """

    actor: Actor
    grants: Grants
    place: Place
    prefer: Mapping[str, str]

    @property
    def base(self) -> str:
        return self.place.base

    @property
    def reach(self) -> Reach:
        return self.place.reach

    def allows(self, type_name: str, interaction: str) -> bool:
        """Whether the scopes allow it; what they do not allow is noted."""
        allowed = self.reach(type_name, interaction)
        if not allowed:
            self.note(interaction, type_name, outcome="denied")
        return allowed

    def check(self, type_name: str, interaction: str) -> Route:
        """The route for an interaction that the table offers and the scopes allow. Raises FhirError 404, 405, 403."""
        route = route_of(type_name)
        if route is None:
            raise refused(404, "not-supported", f"This server does not know the type {type_name[:60]!r}.")
        if interaction not in route.interactions:
            raise refused(405, "not-supported", f"{interaction} is not offered for {type_name}.")
        if not self.allows(type_name, interaction):
            raise refused(403, "forbidden", f"Your scopes do not allow {interaction} of {type_name}.")
        return route

    def readable(self, interaction: str) -> list[Route]:
        """The routes that offer an interaction and that the scopes allow. Raises FhirError 403 when there is none."""
        offered = [route for route in ROUTES.values() if interaction in route.interactions]
        found = [route for route in offered if self.reach(route.type, interaction)]
        if not found:
            self.note(interaction, "*", outcome="denied")
            raise refused(403, "forbidden", f"Your scopes do not allow {interaction} of any type.")
        return found

    def note(
        self,
        action: str,
        entity: str,
        patient_ids: set[int] | None = None,
        outcome: str = "success",
        query: str = "",
        status: int | None = None,
        entries: int | None = None,
    ) -> None:
        """The audit row of a read (writes are noted by the delivery). One row per patient shown.

        `query`: the search as it was asked; what names a person in it is not kept, since nobody is erased from the
        trail. `status`: of the answer, where it is a refusal; `entries`: how many of a Bundle.
        """
        said = {"query": nameless(query)[:LONGEST_QUERY] or None, "status": status, "entries": entries}
        audit.record(
            actor=self.actor,
            now=self.place.now,
            action=action,
            patient_ids=sorted(patient_ids) if patient_ids else (None,),
            entity=entity[:200],
            outcome=outcome,
            detail={name: value for name, value in said.items() if value is not None},
        )


def nameless(query: str) -> str:
    """A search's query with a mark in place of values that name a person; of an identifier its system stays."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode(
        [(name, _marked(value) if _NAMES_A_PERSON.search(name) else value) for name, value in pairs], safe="*"
    )


def _marked(value: str) -> str:
    system, bar, _ = value.rpartition("|")
    return f"{system}{bar}***"


def base_of(request: HttpRequest) -> str:
    root = settings.PUBLIC_URL.rstrip("/") if settings.PUBLIC_URL else request.build_absolute_uri("/").rstrip("/")
    return f"{root}/fhir"


def open_call(request: HttpRequest) -> Call:
    """Who calls. Raises FhirError 401 without a valid bearer token; a browser session opens nothing here."""
    now = timezone.now()
    caller = _caller(request, now)
    if caller is None:
        unknown = Actor("connection", None, "unknown", getattr(request, "request_id", ""))
        audit.record(actor=unknown, now=now, action="authenticate", entity=request.path[:200], outcome="denied")
        issue = Issue("login", "A valid bearer token is required (Authorization: Bearer ...).")
        raise FhirError(401, issue, headers=_CHALLENGE)
    call = call_of(caller, base_of(request), now, _prefer(request))
    request.fhir_call = call  # type: ignore[attr-defined]  # for the note of a refusal
    return call


def call_of(caller: Caller, base: str, now: datetime, prefer: Mapping[str, str] | None = None) -> Call:
    """The call of someone who is known: for the doors beside this one (exports, subscriptions) too."""
    grants = scopes.parse(caller.scopes)
    return Call(caller.actor, grants, Place(base, now, Reach(grants, holder_of(caller, now), now, base)), prefer or {})


def holder_of(caller: Caller, now: datetime) -> Holder:
    """Whose data the token's patient/ and user/ scopes reach: what the person may see at this moment."""
    if caller.user_id is None:
        return Holder(caller.patient, frozenset({caller.patient} - {""}), is_staff=True)
    person = person_reach(caller.user_id, now)
    return Holder(caller.patient, person.patients, person.is_staff)


def _caller(request: HttpRequest, now: datetime) -> Caller | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    return authenticate(token=token.strip(), now=now, request_id=getattr(request, "request_id", ""))


def _prefer(request: HttpRequest) -> dict[str, str]:
    said = {}
    for wish in request.headers.get("Prefer", "").replace(";", ",").split(","):
        name, _, value = wish.strip().partition("=")
        if name == "return" and value in _PREFER_RETURN or name == "handling" and value in ("strict", "lenient"):
            said[name] = value
    return said


def body_of(request: HttpRequest) -> bytes:
    """The request's body. Raises FhirError 413 when it is larger than the door takes, 415 when it is packed."""
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise refused(415, "not-supported", f"The body must be sent as it is, without Content-Encoding {coding[:20]}.")
    try:
        return request.body
    except RequestDataTooBig as error:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise refused(413, "too-long", f"The body is larger than {limit} bytes: send it in parts.") from error
