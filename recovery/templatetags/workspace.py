"""Tags of the pathway editor."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def at(mapping: Mapping[str, str], key: str) -> str:
    """What stands under a key; blank when nothing does."""
    return mapping.get(key, "")


@register.simple_tag
def rule_cell(rule: Mapping[str, Any], name: str, label: str, problems: Mapping[str, str]) -> SafeString:
    """One number of an alert rule, with its problem beside it."""
    cell = f"rule-{rule['cause']}-{name}"
    value = "" if rule.get(name) is None else rule[name]
    wrong = problems.get(cell, "")
    mark = format_html(' aria-invalid="true" aria-describedby="{}_e"', cell) if wrong else ""
    said = format_html('<div class="small wrong" id="{}_e">{}</div>', cell, wrong) if wrong else ""
    return format_html(
        '<div class="field"><label class="small" for="{}">{}</label>'
        '<input id="{}" name="{}" inputmode="decimal" value="{}"{}>{}</div>',
        *(cell, label, cell, cell, value, mark, said),
    )
