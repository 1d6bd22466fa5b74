"""A patient's summary on paper: who, which operation, how it goes, what was measured, what they allowed. PDF bytes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import matplotlib
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from recovery.presenters.portal import OwnMetric, OwnView
from recovery.presenters.portal_consent import PurposeCard
from recovery.presenters.portal_words import day, moment
from recovery.presenters.written import in_drawing_order, joined
from recovery.selectors.people import Person

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
PAGE_WIDTH = 174 * mm
NARROW, WIDE = 42 * mm, 132 * mm
COLUMNS = (42 * mm, 44 * mm, 50 * mm, 38 * mm)
_LINE = colors.HexColor("#d5dbe1")


@cache
def _fonts() -> None:
    """DejaVu covers Latin, Greek, Cyrillic, Hebrew and Arabic; it comes with matplotlib."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _styles() -> dict[str, ParagraphStyle]:
    body = ParagraphStyle("body", fontName=REGULAR, fontSize=10, leading=14)
    return {
        "body": body,
        "title": ParagraphStyle("title", parent=body, fontName=BOLD, fontSize=18, leading=22, spaceAfter=4),
        "head": ParagraphStyle(
            "head", parent=body, fontName=BOLD, fontSize=12, leading=16, spaceBefore=10, spaceAfter=3
        ),
        "small": ParagraphStyle("small", parent=body, fontSize=8, leading=11, textColor=colors.HexColor("#46505a")),
        "strong": ParagraphStyle("strong", parent=body, fontName=BOLD),
    }


def summary_pdf(
    person: Person, view: OwnView | None, consents: Sequence[PurposeCard], *, now: datetime, zone: ZoneInfo
) -> bytes:
    """One or two A4 pages. `view` None: there is no recovery to tell yet."""
    _fonts()
    styles = _styles()
    parts: list[Flowable] = [
        _text(_("My recovery: a summary"), styles["title"]),
        _text(_made(person, now, zone), styles["small"]),
        Spacer(1, 4 * mm),
        _rows([(_("Name"), person.name), *_born(person, zone), *_operation(view)], styles),
    ]
    if view is not None:
        parts += _recovery(view, styles)
    parts += _consents(consents, styles)
    parts.append(Spacer(1, 6 * mm))
    parts.append(
        _text(_("This summary helps to talk about your recovery. It is not a medical opinion."), styles["small"])
    )
    out = BytesIO()
    margin = 18 * mm
    page = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=_("My recovery: a summary"),
        author="twinweb",
        lang="en",
    )
    page.build(parts)
    return out.getvalue()


def _made(person: Person, now: datetime, zone: ZoneInfo) -> str:
    made = _("Made on %(when)s.") % {"when": moment(now, zone)}
    label = _("Made-up data: no real person.") if person.is_synthetic else person.origin
    return " ".join(part for part in (made, label) if part)


def _born(person: Person, zone: ZoneInfo) -> list[tuple[str, str]]:
    if person.birth_date is None:
        return []
    at = datetime(person.birth_date.year, person.birth_date.month, person.birth_date.day, 12, tzinfo=zone)
    return [(_("Date of birth"), day(at, zone))]


def _operation(view: OwnView | None) -> list[tuple[str, str]]:
    if view is None:
        return []
    return [(_("Operation"), view.operation), (_("Today"), view.day), (_("Care team"), view.team)]


def _recovery(view: OwnView, styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    found: list[Flowable] = [_text(_("How I am doing"), styles["head"]), _text(view.sentence, styles["body"])]
    if view.metrics:
        head = [_text(word, styles["strong"]) for word in (_("What"), _("Newest"), _("Usual for me"), "")]
        lines = [
            [_text(text, styles["body"], width) for text, width in zip(_cells(one), COLUMNS, strict=True)]
            for one in view.metrics
        ]
        found += [Spacer(1, 2 * mm), _table([head, *lines], COLUMNS)]
    return found


def _cells(one: OwnMetric) -> tuple[str, str, str, str]:
    return one.label, f"{one.latest} {one.when}".strip(), one.usual, one.verdict


def _consents(cards: Iterable[PurposeCard], styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    lines = [
        (card.title, ", ".join(one.words for one in card.switches if one.allowed) or _("Nothing")) for card in cards
    ]
    return [_text(_("What I allow"), styles["head"]), _rows(lines, styles)]


def _rows(rows: Iterable[tuple[str, str]], styles: dict[str, ParagraphStyle]) -> Table:
    lines = [[_text(label, styles["strong"], NARROW), _text(words, styles["body"], WIDE)] for label, words in rows]
    return _table(lines, (NARROW, WIDE))


def _table(lines: list[list[Flowable]], widths: Sequence[float]) -> Table:
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
        ]
    )
    return Table(lines, colWidths=list(widths), style=style)


def _text(words: str, style: ParagraphStyle, width: float = PAGE_WIDTH) -> Paragraph:
    """Text from right to left is broken into lines before it is turned round: turned first, its lines would swap."""
    drawn = in_drawing_order(words)
    if drawn == words:
        return Paragraph(escape(words), style)
    lines = [in_drawing_order(line) for line in _lines(words, style, width - 4 * mm)]
    return Paragraph("<br/>".join(escape(line) for line in lines), ParagraphStyle("right", style, alignment=TA_RIGHT))


def _lines(words: str, style: ParagraphStyle, width: float) -> list[str]:
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and stringWidth(joined(longer), style.fontName, style.fontSize) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
