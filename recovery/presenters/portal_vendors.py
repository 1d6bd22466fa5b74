"""Wearables of makers, in plain words: what each account is doing, true to the minute, and one next step for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recovery.presenters.portal_devices import QUIET_AFTER, metric_words, nothing_for, value_words
from recovery.presenters.portal_words import listed, moment
from recovery.selectors.sources import SourceSeen
from recovery.selectors.vendor_links import LinkSeen
from recovery.vendors.providers import Provider

HELP_AFTER = timedelta(hours=2)  # ux.md 5.7: nothing after two hours is told with help
AWAY_AFTER = 2  # turns in a row without an answer before a person reads of it

# What went wrong on the way back, and the one thing to do next. The step always leads to the same button.
FAILURES = {
    "denied": gettext_lazy("You said no on the maker's page. Nothing was connected. You can try again, or type in."),
    "refused": gettext_lazy("This did not start on this page, or was used before. Nothing was connected. Start again."),
    "late": gettext_lazy("That took more than 10 minutes. Nothing was connected. Please start again."),
    "code": gettext_lazy("The maker did not accept our question. Nothing was connected. Please start again."),
    "away": gettext_lazy("The maker does not answer now. Nothing was connected. Please try again in some minutes."),
    "unclear": gettext_lazy("The maker sent something we cannot read. Nothing was connected. Please start again."),
}


@dataclass(frozen=True, slots=True)
class VendorCard:
    """`state`: none, waiting, silent, working, quiet, away, revoked, expired or sealed. `is_open`: it is connected."""

    provider: str
    key: UUID | None
    name: str
    gives: str
    needs: str
    state: str
    state_words: str
    newest: str
    newest_value: str
    heard: str
    next_step: str
    is_open: bool


def vendor_cards(
    known: Sequence[Provider],
    links: Sequence[LinkSeen],
    sources: Mapping[str, SourceSeen],
    sealed: Mapping[str, tuple[str, ...]],
    now: datetime,
    zone: ZoneInfo,
) -> tuple[VendorCard, ...]:
    """One card a maker. `sources`: by their name; `sealed`: maker -> its metrics that the patient withdrew."""
    by_maker = {one.provider: one for one in links}
    return tuple(_card(one, by_maker.get(one.key), sources, sealed.get(one.key, ()), now, zone) for one in known)


def _card(
    maker: Provider,
    link: LinkSeen | None,
    sources: Mapping[str, SourceSeen],
    sealed: tuple[str, ...],
    now: datetime,
    zone: ZoneInfo,
) -> VendorCard:
    seen = sources.get(link.source) if link is not None and link.status != "ended" else None
    state = _state(maker, link, seen, sealed, now)
    return VendorCard(
        provider=maker.key,
        key=link.key if link else None,
        name=maker.name,
        gives=listed([metric_words(one) for one in maker.metrics]),
        needs=maker.needs or _("Its app on a phone, signed in to your own account. Charge it each evening."),
        state=state,
        state_words=_state_words(state, seen, now),
        newest=moment(seen.newest, zone) if seen else "",
        newest_value=value_words(seen) if seen else "",
        heard=moment(link.asked_at, zone) if link and link.status != "ended" else "",
        next_step=_next_step(state),
        is_open=link is not None and link.status == "connected",
    )


def _state(
    maker: Provider, link: LinkSeen | None, seen: SourceSeen | None, sealed: tuple[str, ...], now: datetime
) -> str:
    if link is None or link.status == "ended":
        return "none"
    if link.status != "connected":
        return link.status
    if set(sealed) >= set(maker.metrics):
        return "sealed"
    if link.failing >= AWAY_AFTER:
        return "away"
    if seen is None or seen.newest is None:
        return "waiting" if now - link.connected_at <= HELP_AFTER else "silent"
    return "working" if now - seen.newest <= QUIET_AFTER else "quiet"


def _state_words(state: str, seen: SourceSeen | None, now: datetime) -> str:
    if state == "quiet" and seen is not None and seen.newest is not None:
        return nothing_for(seen.newest, now)
    return {
        "none": _("Not connected"),
        "waiting": _("Connected. Waiting for the first reading"),
        "silent": _("Connected, but no reading has come yet"),
        "working": _("Working"),
        "away": _("Connected, but the maker does not answer"),
        "revoked": _("Ended: access was taken back at the maker"),
        "expired": _("Ended: your permission at the maker ran out"),
        "sealed": _("Not used: you took back your consent"),
    }.get(state, "")


def _next_step(state: str) -> str:
    return {
        "waiting": _("You need to do nothing. It can take some minutes."),
        "silent": _("Wear the watch, then open its app on your phone once, so that it sends."),
        "quiet": _("Wear the watch, then open its app on your phone once, so that it sends."),
        "away": _("You need to do nothing. We go on trying. Until then you can type readings in below."),
        "revoked": _("Connect it again if you want us to have its readings."),
        "expired": _("Connect it again if you want us to have its readings."),
        "sealed": _("You can allow it again under My consent."),
    }.get(state, "")
