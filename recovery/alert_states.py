"""What may be done with an alert, and from where: the one table that services obey and the diagram is drawn from."""

from recovery.models import Alert

OPEN, ACKNOWLEDGED, SNOOZED, RESOLVED = (
    Alert.Status.OPEN,
    Alert.Status.ACKNOWLEDGED,
    Alert.Status.SNOOZED,
    Alert.Status.RESOLVED,
)
UNRESOLVED = frozenset({OPEN, ACKNOWLEDGED, SNOOZED})
AS_IT_WAS = "as it was"
# action -> (from, to). `None`: the status stays. `AS_IT_WAS`: what the step before had found.
TRANSITIONS: dict[str, tuple[frozenset[str], str | None]] = {
    "acknowledge": (frozenset({OPEN, SNOOZED}), ACKNOWLEDGED),
    "assign": (UNRESOLVED, None),
    "snooze": (frozenset({OPEN, ACKNOWLEDGED}), SNOOZED),
    "wake": (frozenset({SNOOZED}), OPEN),
    "escalate": (frozenset({OPEN, ACKNOWLEDGED}), None),
    "resolve": (UNRESOLVED, RESOLVED),
    "clear": (frozenset({OPEN, SNOOZED}), RESOLVED),
    "reopen": (frozenset({ACKNOWLEDGED, SNOOZED, RESOLVED}), OPEN),
    "undo": (frozenset({OPEN, ACKNOWLEDGED, SNOOZED, RESOLVED}), AS_IT_WAS),
}
BY_THE_PRODUCT = frozenset({"wake", "clear"})
# Whom an escalation has told cannot be untold.
CAN_BE_UNDONE = frozenset({"acknowledge", "assign", "snooze", "resolve", "reopen"})
UNDO_SECONDS = 10  # ux.md section 3
DONE = {
    "acknowledge": "took it",
    "assign": "gave it to somebody",
    "snooze": "snoozed it",
    "wake": "opened it again",
    "escalate": "told the next in line",
    "resolve": "resolved it",
    "clear": "closed it",
    "reopen": "opened it again",
    "undo": "undid a step",
}


def diagram() -> str:
    """The table as a Mermaid state diagram; docs/alerts.md holds it, and a test holds the two together."""
    lines = ["stateDiagram-v2", f"    [*] --> {OPEN.value}: raised"]
    for action, (before, after) in TRANSITIONS.items():
        if after == AS_IT_WAS:
            continue
        label = f"{action} (product)" if action in BY_THE_PRODUCT else action
        lines += [f"    {one} --> {after or one}: {label}" for one in Alert.Status.values if one in before]
    lines.append(f"    {RESOLVED.value} --> [*]")
    return "\n".join(lines)
