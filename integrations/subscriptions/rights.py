"""What a subscriber may be told: what the connected system that it belongs to may read, at this moment."""

from datetime import datetime

from integrations.fhir.reach import Reach
from integrations.smart import scopes
from recovery.selectors.deliveries import Receiver


def reach_of(receiver: Receiver, now: datetime) -> Reach:
    """Nothing where the connected system was revoked, has expired, or was never there."""
    expired = receiver.scopes_until is not None and receiver.scopes_until <= now
    held = "" if receiver.scopes is None or expired else receiver.scopes
    return Reach(scopes.parse(held), None, now, receiver.base)


def reason_to_refuse(receiver: Receiver, reach: Reach) -> str:
    """Why nothing may be told at all; blank: something may."""
    if receiver.scopes is None:
        return "It belongs to no connected system that may still read here."
    if not reach(receiver.type, "read"):
        return f"The scopes of {receiver.owner} do not allow reading {receiver.type}, or have run out."
    return ""
