"""Clinicians' pages on paper: the hand-over of a shift, and one patient's summary. PDF bytes, A4, black on white.

Names are drawn in DejaVu (Latin, Greek, Cyrillic, Arabic, Hebrew; free licence, comes with matplotlib) and, where they
hold Chinese, Japanese or Korean, in the PDF reader's own font for those.
"""

import re
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from recovery.presenters.handover import HandedCard, HandoverView
from recovery.presenters.written import in_drawing_order

REGULAR, BOLD, EAST = "DejaVuSans", "DejaVuSans-Bold", "STSong-Light"
SYNTHETIC = "Synthetic patients: nothing here is about a real person."
FOOT = "Decision support for qualified staff; not a cleared medical device, not a primary alarm."
_EAST_ASIAN = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+")
_LINE = colors.HexColor("#777777")


@cache
def _fonts() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFont(UnicodeCIDFont(EAST))


@cache
def _styles() -> dict[str, ParagraphStyle]:
    body = ParagraphStyle("body", fontName=REGULAR, fontSize=8.5, leading=11)
    return {
        "body": body,
        "title": ParagraphStyle("title", parent=body, fontName=BOLD, fontSize=15, leading=18, spaceAfter=2),
        "name": ParagraphStyle("name", parent=body, fontName=BOLD, fontSize=10.5, leading=13),
        "small": ParagraphStyle("small", parent=body, fontSize=7.5, leading=9.5),
        "strong": ParagraphStyle("strong", parent=body, fontName=BOLD),
    }


def text(said: str, style: str = "body") -> Paragraph:
    """A paragraph of plain text, whatever it holds: markup is escaped, each script gets a font that has it."""
    drawn = escape(in_drawing_order(said))
    return Paragraph(_EAST_ASIAN.sub(lambda run: f'<font name="{EAST}">{run.group()}</font>', drawn), _styles()[style])


def handover_pdf(view: HandoverView) -> bytes:
    """The hand-over of one shift: as many A4 pages as it takes, no patient cut in two."""
    _fonts()
    parts: list[Flowable] = [text(view.title, "title")]
    parts.append(text(f"{view.ward}. {view.period}. Printed {view.made}.", "small"))
    parts.append(text(f"{len(view.patients)} patients, {view.needing} to look at. {view.left_out}", "strong"))
    parts.append(Spacer(1, 2 * mm))
    parts += [_patient(card) for card in view.patients]
    return _document(view.title, parts, synthetic=view.is_synthetic)


def summary_pdf(title: str, head: Iterable[str], lines: Iterable[tuple[str, str]], *, synthetic: bool) -> bytes:
    """One patient: `head` lines, then (name, words) rows. Blank words are left out."""
    _fonts()
    parts: list[Flowable] = [text(title, "title"), *(text(line, "small") for line in head), Spacer(1, 3 * mm)]
    rows = [[text(name, "strong"), text(words)] for name, words in lines if words]
    parts.append(_table(rows, (34 * mm, 148 * mm)) if rows else text("Nothing has been computed yet."))
    return _document(title, parts, synthetic=synthetic)


def _patient(card: HandedCard) -> Flowable:
    rows = [
        ("Allergies", card.allergies),
        ("State", f"{card.state_word}. {card.why}"),
        ("Alerts", " ".join(card.alerts) or "none open"),
        ("This shift", "; ".join(card.changed)),
        ("Next", f"{card.next_check}. {card.data}. {card.risk}"),
    ]
    head = " ".join(part for part in (card.name, f"({card.label})" if card.label else "") if part)
    cells = [[text(name, "strong"), text(words)] for name, words in rows]
    title = [[text(head, "name"), text(f"{card.line}. No. {card.record or 'not known'}", "small")]]
    return KeepTogether(
        [_table(title, (91 * mm, 91 * mm), rule=True), _table(cells, (22 * mm, 160 * mm)), Spacer(1, 2 * mm)]
    )


def _table(rows: list[list[Paragraph]], widths: tuple[float, ...], *, rule: bool = False) -> Table:
    table = Table(rows, colWidths=widths)
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ]
    table.setStyle(TableStyle(style + ([("LINEABOVE", (0, 0), (-1, 0), 0.7, _LINE)] if rule else [])))
    return table


def _document(title: str, parts: list[Flowable], *, synthetic: bool) -> bytes:
    out = BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=14 * mm, rightMargin=14 * mm, topMargin=12 * mm, bottomMargin=16 * mm, title=title
    )

    def foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont(REGULAR, 7)
        canvas.drawString(14 * mm, 9 * mm, f"{SYNTHETIC} {FOOT}" if synthetic else FOOT)
        canvas.drawRightString(196 * mm, 9 * mm, f"Page {document.page}")

    page.build(parts, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()
