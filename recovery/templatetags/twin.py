"""The few tags that every page shares."""

from functools import lru_cache
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

STAFF_MENU = (
    ("board", "My patients"),
    ("alerts", "Alerts"),
    ("service", "Service"),
    ("staff_messages", "Messages"),
    ("enrol", "Enrol"),
    ("cohort", "Outcomes"),
    ("quality", "Data"),
    ("model", "Model"),
    ("help", "Help"),
)
LEAD_MENU = (*STAFF_MENU[:-2], ("pathways", "Pathways"), *STAFF_MENU[-2:])
PATIENT_MENU = (("me", "My recovery"), ("help", "Help"))
ADMIN_MENU = (
    ("service", "Service"),
    ("team", "Staff"),
    ("pathways", "Pathways"),
    ("emergency_review", "Privacy"),
    ("connections", "Connections"),
    ("unmapped", "Unmapped codes"),
    ("backtests", "Backtests"),
    ("erasures", "Erasures"),
    ("models", "Models"),
    ("model", "Model"),
    ("help", "Help"),
)
MENUS = {"clinician": STAFF_MENU, "lead": LEAD_MENU, "patient": PATIENT_MENU, "administrator": ADMIN_MENU}


@register.simple_tag(takes_context=True)
def menu(context: Context) -> SafeString:
    """Links of the signed-in person's role; the page one is on is marked."""
    here = getattr(context.get("request"), "path", "")
    rows = ((reverse(name), label) for name, label in MENUS.get(getattr(context.get("user"), "role", ""), ()))
    return format_html_join(
        "\n", "<a href='{}'{}>{}</a>", ((url, _current(here.startswith(url)), label) for url, label in rows)
    )


def _current(is_here: bool) -> SafeString:
    return format_html(' aria-current="{}"', "page") if is_here else SafeString("")


@register.simple_tag
def chip(state: str, word: str) -> SafeString:
    """Shape, word and colour: never colour alone."""
    return _chip(state, str(word))


@lru_cache(maxsize=500, typed=True)  # typed: a word may be marked as safe
def _chip(state: str, word: str) -> SafeString:
    """A page of fifty rows shows the same five."""
    return render_to_string("parts/chip.html", {"state": state, "word": word})


THEMES = {"light": "Light", "dark": "Dark", "system": "As the system"}


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The theme that the person chose; blank where the system decides."""
    chosen = getattr(context.get("request"), "COOKIES", {}).get("theme", "")
    return chosen if chosen in ("light", "dark") else ""


@register.inclusion_tag("parts/theme.html", takes_context=True)
def theme_choice(context: Context) -> dict[str, Any]:
    """Buttons that set the theme and come back to this page."""
    request = context.get("request")
    here = getattr(request, "path", "/") if getattr(request, "method", "") == "GET" else "/"
    chosen = theme(context) or "system"
    return {"themes": THEMES.items(), "chosen": chosen, "here": here, "csrf_token": context.get("csrf_token")}
