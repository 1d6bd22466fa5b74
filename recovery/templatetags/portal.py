"""Tags of the patient's pages: text size, places to go, and the emergency line that stands on each of them."""

from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from recovery.links import mark_of
from recovery.views.portal_dress import TEXT

register = template.Library()

# Route names in the order of the menu; a place that is not served is left out.
PLACES = (
    ("me", _("Home")),
    ("me_readings", _("My readings")),
    ("me_messages", _("Messages")),
    ("me_devices", _("My devices")),
    ("me_people", _("My people")),
    ("me_consent", _("My consent")),
    ("me_record", _("My record")),
    ("me_settings", _("Settings")),
)


@register.simple_tag(takes_context=True)
def text_size(context: Context) -> str:
    """The person's text size: 1 usual, 2 large, 3 very large."""
    session = getattr(context.get("request"), "session", {})
    found = str(session.get(TEXT, "1"))
    return found if found in ("1", "2", "3") else "1"


@register.simple_tag(takes_context=True)
def places(context: Context) -> SafeString:
    """Links to the portal's places; the one that the person is at is marked."""
    here = getattr(context.get("request"), "path", "")
    rows = [(url, label) for name, label in PLACES if (url := _url_of(name))]
    at = max((url for url, _label in rows if here.startswith(url)), key=len, default="")
    return format_html_join("\n", "<a href='{}'{}>{}</a>", ((url, _mark(url == at), label) for url, label in rows))


def _url_of(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _mark(is_here: bool) -> SafeString:
    return format_html(' aria-current="{}"', "page") if is_here else SafeString("")


@register.inclusion_tag("portal/parts/emergency.html")
def emergency_line() -> dict[str, Any]:
    """Whom to call when it cannot wait; the hospital sets EMERGENCY_NUMBER, otherwise no number is invented."""
    return {"number": getattr(settings, "EMERGENCY_NUMBER", "")}


@register.simple_tag(takes_context=True)
def who(context: Context) -> str:
    """A mark of the person signed in, for what their phone keeps: it says nothing about them, and fits nobody else."""
    user = context.get("user")
    return mark_of(user.pk) if user is not None and user.is_authenticated else ""


@register.simple_tag
def emergency_number() -> str:
    return str(getattr(settings, "EMERGENCY_NUMBER", ""))
