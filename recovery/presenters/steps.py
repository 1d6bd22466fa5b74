"""One step of an alert in a line: when, what was done, by whom, and why."""

from zoneinfo import ZoneInfo

from recovery.selectors.handover import StepTaken

DONE = {"open": "opened", "acknowledged": "taken", "snoozed": "put off", "resolved": "resolved"}


def step_words(step: StepTaken, zone: ZoneInfo) -> str:
    done = DONE.get(step.after, step.after) if step.before != step.after else "told again"
    what = "raised" if not step.before else done
    reason = f" ({step.reason.rstrip('.')})" if step.reason else ""
    return f"{step.at.astimezone(zone):%H:%M} {step.headline}: {what} by {step.actor}{reason}"
