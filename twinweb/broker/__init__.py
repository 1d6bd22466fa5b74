"""The embedded Celery broker: one SQLite file, no server to install.

The broker is a doorbell, not a ledger (design section 9): the work owed is a row of the main database, so
losing this file costs a sweep's delay and no work. It still keeps its messages through `kill -9`.
"""

from kombu.transport import TRANSPORT_ALIASES

ALIAS = "sqlitelite"


def register() -> None:
    """Make `sqlitelite://` known to kombu; call it before the Celery application is made.

    An alias is needed because a dotted path does not survive kombu's URL parser.
    """
    TRANSPORT_ALIASES[ALIAS] = "twinweb.broker.transport:Transport"
