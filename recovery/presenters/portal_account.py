"""How one signs in, in the words of the portal."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from recovery.presenters.portal_words import moment
from recovery.selectors.account import AccountSeen, SessionSeen


@dataclass(frozen=True, slots=True)
class DeviceCard:
    id: int
    called: str
    used: str
    is_this: bool


def device_cards(account: AccountSeen, zone: ZoneInfo) -> list[DeviceCard]:
    """Where the person is signed in, with the times by the clock of `zone`."""
    return [
        DeviceCard(id=one.id, called=_called(one), used=moment(one.last_seen, zone), is_this=one.is_this)
        for one in account.sessions
    ]


def _called(one: SessionSeen) -> str:
    browser = one.browser or _("A browser")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": one.system} if one.system else browser


def code_problem(code: str) -> str:
    """What was wrong with the second factor, from the library's name of it; blank for nothing."""
    if code == "too_many_login_attempts":
        return _("Too many tries. Please wait five minutes, and try again.")
    return _("This code does not fit. Look at your app, and type the code that it shows now.") if code else ""
