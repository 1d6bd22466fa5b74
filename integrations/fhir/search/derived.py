"""Observations that this server concludes, beside those that it was sent: found like them.

They are looked for where a search names patients, ids or their code: a search over everybody's readings does not
render everybody's conclusions.
"""

from integrations.fhir.conclusions.codes import RECOVERY
from integrations.fhir.conclusions.recovery_index import CODE
from integrations.fhir.search.patients import patient_names
from integrations.fhir.search.request import SearchRequest
from recovery.selectors.fhir_criteria import Match


def may_hold(request: SearchRequest) -> bool:
    if request.route.type != "Observation":
        return True
    plain = [one for one in request.criteria if one.param == "code" and one.missing is None and not one.negated]
    if not all(any(_is_ours(match) for match in one.matches) for one in plain):
        return False
    named = patient_names(request.criteria) is not None or request.ids is not None
    return named or any(all(match.system == RECOVERY for match in one.matches) for one in plain)


def _is_ours(match: Match) -> bool:
    return match.system in (None, RECOVERY) and match.value in (None, CODE)
