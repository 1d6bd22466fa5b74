"""What a caller may reach: the one place where scopes meet resources.

Every search (`SearchRequest`) and every look at a shelf (`shelves.read`, `versions` ...) takes a Reach, and is limited
by it before it finds anything. So a limit holds in chains, includes, history, Bundle entries, operations, conditions
and totals alike, because all of these are made of searches and looks.

A Reach answers three questions about a type and an interaction:

- `reach(type, interaction)`: is there anything at all that it may be done to? (403 otherwise)
- `reach.limit(type, interaction)`: which resources? A Criterion, or None for all of them
- `reach.sees(entry, interaction)`: this one?

system/ scopes reach everybody; patient/ scopes the one patient of the launch, as long as the person who allowed it may
see that patient; user/ scopes whom `recovery.permissions` lets the person see. Resources about nobody (Practitioner,
Questionnaire ...) can be read with any of the three and be written with system/ alone. Closed by default: a type that
cannot be confined (DeviceMetric, which names no patient) is reached by system/ scopes only, and a constraint that is no
search parameter of the type grants nothing.

Exports: hand `call.place.reach` to whatever reads; `reach.is_unlimited(type, "search-type")` tells whether rows may be
taken without looking at each, `reach.limit(...)` is the criterion otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from integrations.fhir import wire
from integrations.fhir.documents.indexing import index_entries
from integrations.fhir.documents.references import localised
from integrations.fhir.outcomes import FhirError
from integrations.fhir.routes import ROUTES, Route
from integrations.fhir.search.matching import holds
from integrations.smart.scopes import Grants, Scope
from recovery.selectors.fhir_criteria import Criterion

# About no patient: to be read by anyone whose scope names them.
ABOUT_NOBODY = frozenset(
    "Practitioner PractitionerRole Organization Location Questionnaire Medication StructureDefinition CodeSystem"
    " ValueSet OperationDefinition ImplementationGuide".split()
)
# To a patient these are told by people, not by a list (recovery.permissions, presenters.portal).
FOR_STAFF = frozenset(("RiskAssessment", "DetectedIssue", "Flag"))
WRITES = frozenset(("create", "update", "patch", "delete"))
NOTHING = Criterion("", "any")


class Seen(Protocol):
    """One version of a resource, as shelves give it."""

    @property
    def type(self) -> str: ...
    @property
    def fhir_id(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the token. `patient`: FHIR id of the launch's patient. `people`: FHIR ids of whom the person may see.

    A system has neither; `is_staff` says whether the person is of a care team.
    """

    patient: str = ""
    people: frozenset[str] = frozenset()
    is_staff: bool = False

    def patients(self, scope: Scope) -> frozenset[str]:
        return self.people & {self.patient} if scope.context == "patient" else self.people


class Reach:
    """See the module. `now`: for constraints that speak of time. `base`: this server's own address in references."""

    def __init__(
        self, grants: Grants, holder: Holder | None = None, now: datetime | None = None, base: str = ""
    ) -> None:
        self.grants, self.holder, self.base = grants, holder or Holder(), base
        self.now = now or datetime.now(UTC)
        self._limits: dict[tuple[str, str], Criterion | None] = {}

    def __call__(self, type_name: str, interaction: str) -> bool:
        return self.limit(type_name, interaction) is not NOTHING

    def limit(self, type_name: str, interaction: str) -> Criterion | None:
        """What a resource must satisfy; None: nothing in particular. NOTHING where none can."""
        key = (type_name, interaction)
        if key not in self._limits:
            self._limits[key] = self._limit(type_name, interaction)
        return self._limits[key]

    def sees(self, entry: Seen, interaction: str) -> bool:
        """Whether a version of a resource that has content is within the limit."""
        limit = self.limit(entry.type, interaction)
        return limit is None or self.takes(
            wire.parse_object(entry.text.encode()), entry.type, entry.fhir_id, interaction
        )

    def takes(self, resource: Mapping[str, Any], type_name: str, fhir_id: str, interaction: str) -> bool:
        """Whether a resource as it is now, or would be, is within the limit. `fhir_id`: "" for one that is new."""
        limit = self.limit(type_name, interaction)
        if limit is None:
            return True
        entries = index_entries(ROUTES[type_name], localised(resource, self.base) if self.base else resource)
        return limit is not NOTHING and holds(limit, entries, f"{type_name}/{fhir_id}")

    @property
    def is_of_some(self) -> bool:
        """Whether it is for some people's records only: those of a launch, or of whoever is signed in."""
        return bool(self.grants.held) and all(scope.context != "system" for scope in self.grants.held)

    def hides(self, entry: Seen) -> bool:
        """Whether a resource with content is about others than the holder's people, so that the holder must not learn
        that it is here. What is about nobody in particular is no secret."""
        if not self.is_of_some or entry.type in ABOUT_NOBODY:
            return False
        people: frozenset[str] = frozenset().union(*(self.holder.patients(scope) for scope in self.grants.held))
        limits = _of_patients(ROUTES[entry.type], people, "read") if people else None
        if limits is None:
            return True
        entries = index_entries(ROUTES[entry.type], wire.parse_object(entry.text.encode()))
        return not all(holds(one, entries, f"{entry.type}/{entry.fhir_id}") for one in limits)

    @property
    def mark(self) -> str:
        """Tells callers of different reach apart; "" for whom nothing is kept back."""
        if all(scope.context == "system" and not scope.query for scope in self.grants.held):
            return ""
        whose = self.holder.patient or ",".join(sorted(self.holder.people))
        return f"{whose} {' '.join(scope.text for scope in self.grants.held)}"

    def is_unlimited(self, type_name: str, interaction: str) -> bool:
        return self.limit(type_name, interaction) is None

    def _limit(self, type_name: str, interaction: str) -> Criterion | None:
        route = ROUTES.get(type_name)
        if route is None:
            return NOTHING
        branches = []
        for scope in self.grants.of(type_name, interaction):
            criteria = self._criteria(scope, route, interaction)
            if criteria == []:
                return None
            if criteria is not None:
                branches.append(_all_of(criteria))
        return (
            branches[0] if len(branches) == 1 else Criterion("", "any", any_of=tuple(branches)) if branches else NOTHING
        )

    def _criteria(self, scope: Scope, route: Route, interaction: str) -> list[Criterion] | None:
        """All that must hold for what the scope reaches; None when it reaches nothing of the type."""
        constraints = _constraints(scope, route, self.now)
        if constraints is None or scope.context == "system":
            return constraints
        mine = self._mine(scope, route, interaction)
        return None if mine is None else [*mine, *constraints]

    def _mine(self, scope: Scope, route: Route, interaction: str) -> list[Criterion] | None:
        if route.type in ABOUT_NOBODY:
            return None if interaction in WRITES else []
        patients = self.holder.patients(scope)
        if not patients or not self._may(scope, route, interaction):
            return None
        return _of_patients(route, patients, interaction)

    def _may(self, scope: Scope, route: Route, interaction: str) -> bool:
        """What the person may do at all: patients send data to their own record, and change nobody's."""
        if self.holder.is_staff:
            return True
        if route.type in FOR_STAFF:
            return False
        return interaction not in WRITES or (interaction == "create" and scope.context == "patient")


def _of_patients(route: Route, patients: frozenset[str], interaction: str) -> list[Criterion] | None:
    names = frozenset(f"Patient/{one}" for one in patients)
    if route.type == "Patient":
        return None if interaction == "create" else [Criterion("", "named", names=names)]
    param = owner_param(route)
    if param is None:
        return None
    theirs = Criterion(param, "within", names=names, resolved=names)
    if route.type == "Device" and interaction not in WRITES:
        nobodys = Criterion(param, "reference", missing=True)
        return [Criterion("", "any", any_of=(theirs, nobodys))]
    return [theirs]


def owner_param(route: Route) -> str | None:
    """The search parameter that names the patient whom a resource is about."""
    names = {one.name for one in route.params if one.kind == "reference"}
    wanted = ("member",) if route.type == "Group" else ("patient", "subject", "beneficiary")
    return next((one for one in wanted if one in names), None)


def _constraints(scope: Scope, route: Route, now: datetime) -> list[Criterion] | None:
    """The query part as criteria; None when the type cannot be searched by it, so that it cannot be held to it."""
    from integrations.fhir.search import grammar  # the grammar makes limited searches, so it knows this module

    try:
        return grammar.criteria_of(route, scope.query, now) if scope.query else []
    except FhirError:
        return None


def _all_of(criteria: Sequence[Criterion]) -> Criterion:
    return criteria[0] if len(criteria) == 1 else Criterion("", "all", any_of=tuple(criteria))


def restricted(criteria: Iterable[Criterion], limit: Criterion | None) -> list[Criterion]:
    """Criteria with a limit added; a limit of several parts as its parts, so that each can be asked of an index."""
    if limit is None:
        return list(criteria)
    return [*criteria, *(limit.any_of if limit.kind == "all" else (limit,))]


class _Everything(Reach):
    """For the product itself, which answers for what it does with what it finds."""

    def __init__(self) -> None:
        super().__init__(Grants(()))

    def _limit(self, type_name: str, interaction: str) -> Criterion | None:
        return None


EVERYTHING: Reach = _Everything()
