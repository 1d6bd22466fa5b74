"""What stands in the URL of the pages about many patients. What cannot be read is left out, not an error page."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from recovery.presenters.cohort import GROUPINGS, event_choices, metric_choices
from recovery.presenters.completeness import metric_choices as completeness_choices


class CohortForm(forms.Form):
    event = forms.ChoiceField(choices=event_choices(), required=False)
    by = forms.ChoiceField(choices=list(GROUPINGS.items()), required=False)
    procedure = forms.SlugField(max_length=64, required=False)
    metric = forms.ChoiceField(choices=metric_choices(), required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def _said(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)

    @property
    def event_asked(self) -> str:
        return self._said("event") or "complication"

    @property
    def grouping(self) -> str:
        return self._said("by") or "procedure"

    @property
    def operation(self) -> str:
        return self._said("procedure") or ""

    @property
    def measure(self) -> str:
        return self._said("metric") or "steps"

    def day(self, name: str) -> date | None:
        """The day given, if it is one that a calendar of hospitals can hold."""
        found = self._said(name)
        return found if found is not None and 1990 <= found.year <= 2200 else None


class DayForm(forms.Form):
    """One day of the hospital, of a list of readings."""

    day = forms.DateField(required=False)

    def within(self, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """First moments of that day and of the next; None where no day is given."""
        day = self.cleaned_data.get("day") if self.is_valid() else None
        if day is None or not 1990 <= day.year <= 2200:
            return None
        return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


class CompletenessForm(forms.Form):
    metric = forms.ChoiceField(choices=completeness_choices(), required=False)
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)

    @property
    def measure(self) -> str:
        self.is_valid()
        return self.cleaned_data.get("metric") or "heart_rate"

    @property
    def number(self) -> int:
        self.is_valid()
        return self.cleaned_data.get("page") or 1
