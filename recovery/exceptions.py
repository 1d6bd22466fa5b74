"""What can go wrong in the domain. These know no HTTP: each door translates them once.

`twinweb.middleware` turns them into pages, `integrations.fhir.outcomes` into OperationOutcomes.
"""


class RecoveryError(Exception):
    """Base of every domain error. `message` is safe to show: it names the field, the value and the remedy."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NotFound(RecoveryError):
    """Nothing here, or nothing that this person may know of: the two are not told apart."""


class Forbidden(RecoveryError):
    """The person is known and the thing is known to them, but this action is not theirs."""


class Invalid(RecoveryError):
    """The input breaks a rule of the domain."""


class Conflict(RecoveryError):
    """Somebody else changed it first, or it is not in a state that allows this."""


class Gone(RecoveryError):
    """It was here and was deleted."""
