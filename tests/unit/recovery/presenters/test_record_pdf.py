"""The summary on paper, in every language of the portal."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from reportlab.pdfbase.pdfmetrics import stringWidth

from recovery.consent_rules import ALLOWED_AT_FIRST, DATA_TYPES, PURPOSES
from recovery.presenters import record_pdf
from recovery.presenters.portal_consent import purpose_cards
from recovery.presenters.written import joined
from recovery.selectors.consents import Decision
from recovery.selectors.people import Person

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def summary(language: str, name: str) -> bytes:
    decisions = [
        Decision(purpose, kind, ALLOWED_AT_FIRST[purpose], None, "", True)
        for purpose in PURPOSES
        for kind in DATA_TYPES
    ]
    with translation.override(language):
        cards = purpose_cards(decisions, ZONE)
        person = Person(name, date(1948, 5, 4), "female", "S-1", True, "", None)
        return record_pdf.summary_pdf(person, None, cards, now=NOW, zone=ZONE)


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("name", ["Ida Hartmann", "فاطمة الراشد", "דוד לוי", "<b>Bobby</b> & Söhne", "N" * 300])
def test_any_name_in_any_language_is_a_whole_pdf(language, name):
    made = summary(language, name)
    assert made.startswith(b"%PDF-") and made.rstrip().endswith(b"%%EOF")


def test_arabic_is_broken_into_lines_before_it_is_turned_round():
    summary("ar", "Ida")  # registers the fonts
    words = "يذكر هذا الملخص كيف تسير الأمور منذ العملية وما الذي سمحت به وما قرأته الأجهزة في هذه الأيام"
    style = record_pdf._styles()["body"]
    lines = record_pdf._lines(words, style, 150.0)
    assert len(lines) > 1 and " ".join(lines) == words
    assert all(stringWidth(joined(line), style.fontName, style.fontSize) <= 150.0 for line in lines)
