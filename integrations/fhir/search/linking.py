"""Searches that follow references: chains (`subject:Patient.name`) and the reverse (`_has:Observation:patient:code`).

Inside the database they are one statement. What stands on the other shelves is looked up first, as names (Type/id), and
that is bounded. Nothing is followed into a type that the caller may not search.
"""

from collections.abc import Callable

from integrations.fhir.conclusions.shelf import CONCLUSIONS
from integrations.fhir.outcomes import FhirError, refused
from integrations.fhir.routes import ROUTES, Route, SearchParam
from integrations.fhir.search import run
from integrations.fhir.search.request import Asker, SearchRequest
from recovery.selectors import fhir_search
from recovery.selectors.fhir_criteria import Criterion

MOST_LINKED = 20_000
MOST_TYPES, DEEPEST = 6, 4
# Understands (request, name, value) of the linked type; False when the name is not known there.
Take = Callable[[SearchRequest, str, str, Asker], bool]


def chain(route: Route, head: str, rest: str, value: str, asker: Asker, take: Take) -> Criterion | None:
    """`head` is the reference, perhaps with its :Type; `rest` what its target must satisfy. None when not known."""
    _check_depth(rest)
    _check_open(asker, f"{head}.{rest}")
    name, _, wanted = head.partition(":")
    param = route.param(name)
    if param is None:
        return None
    if param.kind != "reference":
        raise refused(400, "invalid", f"{name} is no reference: nothing can be followed from it.", name)
    known = [linked for target in _targets(param, wanted) if (linked := _linked(target, rest, value, asker, take))]
    allowed = [linked for linked in known if _may(linked.route.type, asker)]
    if len(allowed) > MOST_TYPES:
        sentence = f"{name} can point at many types: name one, as {name}:{allowed[0].route.type}.{rest[:40]}."
        raise refused(400, "too-costly", sentence, name)
    if known and not allowed:
        raise _forbidden(known[0].route.type)
    found = tuple(_chained(route, param, linked) for linked in allowed)
    return found[0] if len(found) == 1 else Criterion(name, "any", any_of=found) if found else None


def _linked(target: str, rest: str, value: str, asker: Asker, take: Take) -> SearchRequest | None:
    linked = SearchRequest(ROUTES[target], asker.reach)
    return linked if take(linked, rest, value, asker) else None


def _targets(param: SearchParam, wanted: str) -> list[str]:
    if not wanted:
        return list(param.targets or sorted(ROUTES))
    if wanted not in ROUTES or (param.targets and wanted not in param.targets):
        raise refused(400, "invalid", f"{param.name} does not point at a {wanted[:40]!r} here.", param.name)
    return [wanted]


def _chained(route: Route, param: SearchParam, linked: SearchRequest) -> Criterion:
    query = linked.documents()
    names = [f"{entry.type}/{entry.fhir_id}" for entry in run.other_shelves(linked, MOST_LINKED)]
    resolved = fhir_search.document_names(query, MOST_LINKED + 1) if _is_mixed(route) else []
    _check_size(param.name, names, resolved)
    return Criterion(
        param.name, "chain", query=query, names=frozenset(names), resolved=frozenset(resolved).union(names)
    )


def has(route: Route, said: str, value: str, asker: Asker, take: Take) -> Criterion | None:
    """`said`: Type:reference:rest, what follows `_has:`. None when a name in it is not known."""
    _check_depth(said)
    _check_open(asker, "_has")
    type_name, _, tail = said.partition(":")
    name, _, rest = tail.partition(":")
    source = ROUTES.get(type_name)
    param = source.param(name) if source is not None else None
    if source is None or param is None or param.kind != "reference" or not rest:
        raise refused(400, "invalid", f"_has:{said[:80]}: write _has:Type:reference:parameter.", "_has")
    linked = SearchRequest(source, asker.reach)
    if not take(linked, rest, value, asker):
        return None
    if not _may(type_name, asker):
        raise _forbidden(type_name)
    query = linked.documents()
    start = f"{route.type}/"
    names = {one for one in run.others_refer_to(linked, name, MOST_LINKED + 1) if one.startswith(start)}
    resolved = fhir_search.referred_names(query, name, MOST_LINKED + 1) if _is_mixed(route) else []
    _check_size("_has", names, resolved)
    return Criterion(name, "has", query=query, names=frozenset(names), resolved=frozenset(names).union(resolved))


def _is_mixed(route: Route) -> bool:
    """Whether some of the type is not documents, so that a search has to judge it outside the database."""
    return route.shelf != "documents" or route.type in CONCLUSIONS


def _check_depth(said: str) -> None:
    if said.count(".") + said.count("_has:") >= DEEPEST:
        raise refused(400, "too-costly", f"A search follows at most {DEEPEST} references in a row.", said[:80])


def _check_open(asker: Asker, said: str) -> None:
    if not asker.follows:
        raise refused(400, "not-supported", f"{said[:80]}: references are followed in searches only.", said[:80])


def _may(type_name: str, asker: Asker) -> bool:
    return asker.follows and asker.reach(type_name, "search-type")


def _forbidden(type_name: str) -> FhirError:
    return refused(403, "forbidden", f"Your scopes do not allow a search that looks into {type_name}.")


def _check_size(name: str, *found: object) -> None:
    if any(len(one) > MOST_LINKED for one in found):  # type: ignore[arg-type]
        sentence = f"{name} leads to more than {MOST_LINKED} resources: narrow what is asked of them."
        raise refused(400, "too-costly", sentence, name)
