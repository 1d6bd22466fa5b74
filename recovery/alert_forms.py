"""What people may send about alerts, rosters and how they are told: shapes only, the rules live in the services."""

from uuid import UUID

from django import forms

from recovery.forms import AlertForm
from recovery.pathway_plan import ESCALATE_TO

MOST_AT_ONCE = 50


class InboxForm(forms.Form):
    """The inbox as it stands in the address. What cannot be read is left out, not an error page."""

    view = forms.SlugField(max_length=12, required=False)
    cause = forms.CharField(max_length=80, required=False)
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)
    alert = forms.UUIDField(required=False)

    def asked(self) -> tuple[str, int, str]:
        self.is_valid()
        good = self.cleaned_data
        return good.get("view") or "", good.get("page") or 1, good.get("cause") or ""

    def chosen(self) -> UUID | None:
        self.is_valid()
        found = self.cleaned_data.get("alert")
        return found if isinstance(found, UUID) else None


class AssignForm(AlertForm):
    user = forms.IntegerField(min_value=1)


class EscalateForm(AlertForm):
    reason = forms.CharField(max_length=200, required=False)


class ManyForm(forms.Form):
    """`alerts`: "key:version" of each row that is ticked."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("acknowledge", "assign", "snooze")])
    user = forms.IntegerField(min_value=1, required=False)
    hours = forms.IntegerField(min_value=1, max_value=24, required=False)
    reason = forms.CharField(max_length=300, required=False)

    def seen(self) -> list[tuple[UUID, int]]:
        """Raises ValueError for what no page of ours sends."""
        sent = self.data.getlist("alerts")[: MOST_AT_ONCE + 1] if hasattr(self.data, "getlist") else []
        return [(UUID(key), int(version)) for key, _, version in (one.partition(":") for one in sent)]


class TurnForm(forms.Form):
    """`start` and `until` in the hospital's clock, as a browser's datetime-local sends them."""

    level = forms.ChoiceField(choices=list(ESCALATE_TO.items()))
    user = forms.IntegerField(min_value=1)
    start = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M"])
    until = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M"])


class HookForm(forms.Form):
    url = forms.CharField(max_length=2000)


class WishForm(forms.Form):
    email = forms.BooleanField(required=False)
    push = forms.BooleanField(required=False)
    quiet_from = forms.TimeField(required=False)
    quiet_until = forms.TimeField(required=False)
    high_anyway = forms.BooleanField(required=False)


class BrowserForm(forms.Form):
    endpoint = forms.CharField(max_length=1000)
    p256dh = forms.CharField(max_length=120, required=False)
    auth = forms.CharField(max_length=40, required=False)
