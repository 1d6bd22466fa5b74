"""What people may send: shapes only. The rules of the domain live in the services."""

from datetime import datetime
from typing import Any

from django import forms

from recovery.presenters.alerts import OUTCOMES
from recovery.presenters.reading import REASONS
from recovery.presenters.tour import PRACTICE
from recovery.presenters.wording import STATES
from recovery.selectors.ranking import LANES, OWNERS, BoardFilter

DONE = {
    "acknowledge": "You have it.",
    "assign": "Given.",
    "snooze": "Snoozed.",
    "resolve": "Resolved.",
    "reopen": "Open again.",
    "escalate": "The next in line has been told.",
    "undo": "Undone.",
}
USEFUL = {"yes": True, "no": False, "": None}


class BoardForm(forms.Form):
    """The board's filters as they stand in the URL. What cannot be read is left out, not an error page."""

    state = forms.ChoiceField(choices=[(key, key) for key in STATES], required=False)
    lane = forms.ChoiceField(choices=[(key, key) for key in LANES], required=False)
    ward = forms.SlugField(max_length=64, required=False)
    surgeon = forms.CharField(max_length=64, required=False)
    procedure = forms.SlugField(max_length=64, required=False)
    owner = forms.ChoiceField(choices=[(key, key) for key in OWNERS], required=False)
    first_day = forms.IntegerField(min_value=-60, max_value=400, required=False)
    last_day = forms.IntegerField(min_value=-60, max_value=400, required=False)
    changed = forms.BooleanField(required=False)
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)

    def wanted(self) -> BoardFilter:
        self.is_valid()
        good = self.cleaned_data
        return BoardFilter(
            state=good.get("state", ""),
            lane=good.get("lane", ""),
            ward=good.get("ward", ""),
            surgeon=good.get("surgeon", ""),
            procedure=good.get("procedure", ""),
            owner=good.get("owner", ""),
            first_day=good.get("first_day"),
            last_day=good.get("last_day"),
            changed=bool(good.get("changed")),
            page=good.get("page") or 1,
        )


class QueryForm(forms.Form):
    """`query`: the board's filters to go back to; services.desks keeps only what it knows."""

    query = forms.CharField(max_length=600, required=False)


class BoardSettingsForm(QueryForm):
    density = forms.ChoiceField(choices=[("comfortable", "Comfortable"), ("dense", "Dense")])
    trend = forms.ChoiceField(choices=[("week", "7 days"), ("month", "30 days")], required=False)


class SavedViewForm(QueryForm):
    name = forms.CharField(max_length=60)


class BulkForm(QueryForm):
    """One action on many alerts; which of the other fields is needed follows from it."""

    action = forms.ChoiceField(choices=[("assign", "assign"), ("snooze", "snooze"), ("acknowledge", "acknowledge")])
    user = forms.IntegerField(min_value=1, required=False)
    hours = forms.IntegerField(min_value=1, max_value=24, required=False)
    reason = forms.CharField(max_length=300, required=False)


class BulkMessageForm(QueryForm):
    """One message to each of several patients. `key`: made with the page, so that sending twice writes once."""

    key = forms.UUIDField()
    subject = forms.CharField(max_length=120)
    text = forms.CharField(max_length=4_000)


class HandoverForm(forms.Form):
    shift = forms.SlugField(max_length=40, required=False)
    ward = forms.SlugField(max_length=64, required=False)


class SeenForm(forms.Form):
    """When what a person has seen was rendered; ISO 8601 with its offset, as the page holds it."""

    at = forms.CharField(max_length=40)

    def clean_at(self) -> datetime:
        try:
            at = datetime.fromisoformat(self.cleaned_data["at"])
        except ValueError:
            raise forms.ValidationError("Not a time.") from None
        if at.tzinfo is None:
            raise forms.ValidationError("A time needs its offset.")
        return at


class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=[(key, key) for key in ("system", "light", "dark")])


class PracticeForm(forms.Form):
    answer = forms.ChoiceField(choices=list(PRACTICE.answers))


class PageForm(forms.Form):
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)

    def number(self) -> int:
        return (self.is_valid() and self.cleaned_data["page"]) or 1


class SendForm(SeenForm):
    """A summary as it was previewed: its time (`at`), the `mark` of its very words, the form's `token`."""

    token = forms.UUIDField()
    mark = forms.CharField(max_length=64)
    note = forms.CharField(max_length=1_000, required=False)


class FileHandoverForm(SeenForm):
    """The hand-overs of a shift as they were previewed; each patient's own part is a HandedForm."""

    token = forms.UUIDField()


class HandedForm(forms.Form):
    """One patient's part, with the key of the episode before its names. `standing`: the document that it replaces."""

    file = forms.BooleanField(required=False)
    mark = forms.CharField(max_length=64, required=False)
    standing = forms.CharField(max_length=64, required=False)
    # The page takes 1,000 characters; as sent, each end of a line counts twice.
    note = forms.CharField(max_length=2_000, required=False)


class AlertForm(forms.Form):
    """`version`: the alert as the person saw it; the service refuses when it has changed since."""

    version = forms.IntegerField(min_value=1)


class SnoozeForm(AlertForm):
    hours = forms.IntegerField(min_value=1, max_value=24)
    reason = forms.CharField(max_length=300)


class ResolveForm(AlertForm):
    outcome = forms.ChoiceField(choices=list(OUTCOMES.items()))
    useful = forms.ChoiceField(choices=[(key, key) for key in USEFUL], required=False)
    note = forms.CharField(max_length=300, required=False)


class UndoForm(forms.Form):
    """What a page needs to offer the undo of the action just done; from the URL, so nothing is remembered."""

    undo = forms.UUIDField()
    v = forms.IntegerField(min_value=1)
    done = forms.ChoiceField(choices=list(DONE.items()))

    @property
    def done_words(self) -> str:
        return DONE[self.cleaned_data["done"]]


class MarkForm(forms.Form):
    """Why a reading is wrong: one of the usual reasons, a note, or both."""

    reason = forms.ChoiceField(choices=[(text, text) for text in REASONS], required=False)
    note = forms.CharField(max_length=200, required=False)

    @staticmethod
    def reason_of(cleaned: dict[str, Any]) -> str:
        return ": ".join(part for part in (cleaned["reason"], cleaned["note"].strip()) if part)


class BacktestForm(forms.Form):
    """Either the name of an export folder or uploaded files, which the view takes from the request itself."""

    folder = forms.CharField(max_length=300, required=False)
    folds = forms.IntegerField(min_value=0, max_value=10, required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500)


class AnswerForm(ReasonForm):
    answer = forms.ChoiceField(choices=[("approve", "approve"), ("refuse", "refuse")])


class ShadowForm(ReasonForm):
    on = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])


class TrainingForm(forms.Form):
    """Days in the hospital's time; `cut_at` and `held_out` hold operations back to judge the model; `under`:
    the expected courses to learn under, blank for those in service."""

    kind = forms.ChoiceField(choices=[(one, one) for one in ("hazard", "population", "hypotheses")])
    since = forms.DateField()
    until = forms.DateField()
    cut_at = forms.DateField(required=False)
    held_out = forms.IntegerField(min_value=1, required=False)
    under = forms.IntegerField(min_value=1, required=False)
    seed = forms.IntegerField(min_value=0, max_value=2_000_000_000, required=False)


class CompareForm(forms.Form):
    """What to lay beside each other: a measure, a second one, another operation of the person, people like them."""

    measure = forms.SlugField(max_length=40, required=False)
    beside = forms.SlugField(max_length=40, required=False)
    other = forms.UUIDField(required=False)
    similar = forms.BooleanField(required=False)

    def asked(self) -> dict[str, Any]:
        """What can be read; the rest is left out."""
        self.is_valid()
        blank: dict[str, Any] = {"measure": "", "beside": "", "other": None, "similar": False}
        return blank | self.cleaned_data


class WhatIfForm(forms.Form):
    """A lever and how far it is moved; the lever's own range is the twin's to keep."""

    lever = forms.SlugField(max_length=40, required=False)
    amount = forms.FloatField(required=False)
