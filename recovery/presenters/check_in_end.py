"""The end of a check-in: what was sent, and what is usual for this person today."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from recovery.check_ins.answers import is_answered
from recovery.check_ins.forms import Form
from recovery.presenters import check_ins, portal_words, wording
from recovery.selectors.check_ins import Response
from recovery.selectors.snapshot import MetricSaid, Said

# Questions whose answer is a metric of the twin.
METRIC_OF = {"pain": "pain", "temperature": "temperature", "sleep": "sleep"}


@dataclass(frozen=True, slots=True)
class EndView:
    title: str
    sent_at: str
    lines: tuple[check_ins.AnswerLine, ...]
    usual: tuple[str, ...]


def end_view(
    response: Response, form: Form, said: Said | None, now: datetime, zone: ZoneInfo, language: str
) -> EndView:
    return EndView(
        title=form.title(language),
        sent_at=portal_words.moment(response.received_at, zone),
        lines=check_ins.lines(form, None, response.answers, language),
        usual=usual_lines(response, form, said, language),
    )


def usual_lines(response: Response, form: Form, said: Said | None, language: str) -> tuple[str, ...]:
    """ "Your pain: 4 of 10. Usual for you now: 3 to 6." Only what the twin itself says, and never beside an answer
    that is dangerous by itself."""
    if said is None:
        return ()
    found, dangerous = [], {one["question"] for one in response.dangers}
    for link_id, key in METRIC_OF.items():
        question, metric = form.question(link_id), said.metrics.get(key)
        answer = response.answers.get(link_id)
        if question is None or metric is None or not is_answered(answer) or link_id in dangerous:
            continue
        span = usual_span(metric)
        if span:
            found.append(_line(check_ins.said(question, answer, language), key, span, language))
    return tuple(found)


def usual_span(metric: MetricSaid) -> str:
    """The 90 % band of the person's own course now, with its unit."""
    span = wording.span(metric.low90, metric.high90, metric.key)
    if not span:
        return ""
    first, _to, last = span.partition(" to ")
    unit = "" if metric.unit == "{score}" else f" {wording.unit(metric.unit, metric.key)}"
    return (_("%(low)s to %(high)s") % {"low": first, "high": last} if last else first) + unit


def _line(answer: str, key: str, span: str, language: str) -> str:
    names = {"pain": _("Your pain"), "temperature": _("Your temperature"), "sleep": _("Your sleep")}
    words = {"name": names[key], "answer": answer, "span": span}
    return _("%(name)s: %(answer)s. Usual for you now: %(span)s.") % words
