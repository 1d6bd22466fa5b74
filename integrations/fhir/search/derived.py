"""Observations that this server concludes, beside those that it was sent: found like them, and merged by time.

They are looked for where a search names patients, ids or their code: a search over everybody's readings does not
render everybody's conclusions.
"""

from integrations.fhir.conclusions.codes import RECOVERY
from integrations.fhir.conclusions.recovery_index import CODE
from integrations.fhir.search import conclusions
from integrations.fhir.search.conclusions import Found
from integrations.fhir.search.grammar import SearchRequest
from integrations.fhir.search.patients import patient_names
from recovery.selectors.fhir_search import Match


def derived(request: SearchRequest) -> list[Found]:
    """All that fit, whatever the page; `conclusions.is_beyond` tells those of a page."""
    if not _may_hold(request):
        return []
    return conclusions.fitting(request)


def _may_hold(request: SearchRequest) -> bool:
    plain = [one for one in request.criteria if one.param == "code" and one.missing is None and not one.negated]
    if not all(any(_is_ours(match) for match in one.matches) for one in plain):
        return False
    named = patient_names(request.criteria) is not None or request.ids is not None
    return named or any(all(match.system == RECOVERY for match in one.matches) for one in plain)


def _is_ours(match: Match) -> bool:
    return match.system in (None, RECOVERY) and match.value in (None, CODE)
