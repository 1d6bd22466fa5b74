"""What went wrong, in FHIR's words: issues, this room's one exception, and the table from domain errors to HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from recovery import exceptions
from recovery.services.intake import Outcome

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Issue:
    """One OperationOutcome.issue. `code` is an R4 IssueType; `expression` a FHIRPath of the element."""

    code: str
    diagnostics: str
    expression: str = ""
    severity: str = "error"


class FhirError(Exception):
    """A refusal with its HTTP status and at least one issue; `headers` go with the answer."""

    def __init__(self, status: int, *issues: Issue, headers: dict[str, str] | None = None) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.status = status
        self.issues = issues
        self.headers = headers or {}


def refused(status: int, code: str, diagnostics: str, expression: str = "") -> FhirError:
    return FhirError(status, Issue(code, diagnostics, expression))


def operation_outcome(issues: Iterable[Issue]) -> Json:
    """An OperationOutcome resource."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues]}


def _issue(issue: Issue) -> Json:
    said: Json = {"severity": issue.severity, "code": issue.code, "diagnostics": _sayable(issue.diagnostics)}
    if issue.expression:
        said["expression"] = [_sayable(issue.expression)]
    return said


def _sayable(text: str) -> str:
    """What was sent is named in what is said of it, half characters too, which JSON can spell and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


# Domain error (by class name, as Outcome.error carries it) -> HTTP status, issue code.
DOMAIN: dict[str, tuple[int, str]] = {
    "NotFound": (404, "not-found"),
    "Forbidden": (403, "forbidden"),
    "Invalid": (422, "business-rule"),
    "VersionMismatch": (412, "conflict"),
    "Conflict": (409, "conflict"),
    "Gone": (410, "deleted"),
}


def of_domain_error(error: exceptions.RecoveryError) -> FhirError:
    status, code = DOMAIN.get(type(error).__name__, (422, "processing"))
    return refused(status, code, error.message, error.field)


def of_refusal(outcome: Outcome) -> FhirError:
    """The error behind one refused item of a delivery."""
    status, code = DOMAIN.get(outcome.error, (422, "business-rule"))
    return refused(status, code, outcome.reason, outcome.field)
