"""The words of a message. They name nobody: who it is about is seen after signing in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

REASONS = {
    "raised": "A new alert",
    "graver": "An alert has become graver",
    "again": "An alert is open again",
    "assigned": "An alert was given to you",
    "escalated": "Nobody has taken an alert",
}
ONE = "A patient on your list needs you"
MANY = "{count} patients on your list need you"
PAGE = "/notifications/"


class NotDelivered(Exception):
    """It did not arrive. `for_good`: trying again is pointless. The words name no address and no secret."""

    def __init__(self, cause: str, *, for_good: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to one receiver: one or several alerts, of which nothing is said but how grave and since when.

    `key`: the same each time it is tried again. `count`: of patients. `page`: absolute where PUBLIC_URL is set.
    """

    key: str
    reason: str
    severity: str
    count: int
    at: datetime
    page: str

    @property
    def title(self) -> str:
        return ONE if self.count == 1 else MANY.format(count=self.count)

    @property
    def text(self) -> str:
        return f"{REASONS.get(self.reason, 'An alert')}. Priority: {self.severity}. Sign in to see it."

    def to_plain(self) -> dict[str, Any]:
        return {
            "id": self.key,
            "type": f"alert.{self.reason}",
            "severity": self.severity,
            "count": self.count,
            "at": self.at.isoformat(),
            "text": self.title,
            "url": self.page,
        }


@dataclass(frozen=True, slots=True)
class PrivacyMessage(Message):
    """To a privacy officer: so many emergency accesses wait for a review. Neither patient nor person is named."""

    @property
    def title(self) -> str:
        return (
            "An emergency access waits for your review"
            if self.count == 1
            else f"{self.count} emergency accesses wait for your review"
        )

    @property
    def text(self) -> str:
        late = "A review is overdue. " if self.reason == "emergency_overdue" else ""
        return f"{late}Somebody opened a record that was not theirs and gave a reason. Sign in to see it."


@dataclass(frozen=True, slots=True)
class Notice:
    """What a patient's own browser shows: that something waits, and where. It names nobody and nothing of health."""

    key: str
    title: str
    text: str
    page: str
    severity: str = "medium"
