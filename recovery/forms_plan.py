"""Shapes of what people send when they enrol a patient or change what is planned. Times are the hospital's clock."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from recovery.services.enrolling import NewOperation
from recovery.services.enrolment_resources import NewPerson
from recovery.twin.profile import PROCEDURES

SEXES = [("", "Choose"), ("female", "Female"), ("male", "Male"), ("other", "Other"), ("unknown", "Not known")]
CATALOGUE = [("", "Choose, or write it in words"), *((one.key, one.label) for one in PROCEDURES.values())]
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

# Those known are offered by the browser (a datalist of that id); any name may be typed.
SURGEON = forms.TextInput(attrs={"list": "surgeons", "autocomplete": "off"})


class ClockField(forms.DateTimeField):
    """A date and time of the hospital's clock, as a datetime-local input sends it; cleaned to an aware time."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, *, zone: ZoneInfo | None = None, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], **kwargs)
        self.zone = zone

    def clean(self, value: Any) -> datetime | None:
        with timezone.override(self.zone or timezone.get_default_timezone()):
            good: datetime | None = super().clean(value)
        return good


class EnrolForm(forms.Form):
    """One page, sixty seconds. `token` makes a double click one episode."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    ticket = forms.CharField(max_length=1000, required=False, widget=forms.HiddenInput)
    record_number = forms.CharField(max_length=128, label="Record number")
    family_name = forms.CharField(max_length=200)
    given_name = forms.CharField(max_length=200, required=False, label="Given names")
    birth_date = forms.DateField(widget=DATE, label="Born")
    sex = forms.ChoiceField(choices=SEXES)
    procedure = forms.ChoiceField(choices=CATALOGUE, required=False, label="Operation")
    text = forms.CharField(max_length=300, required=False, label="or in words")
    end = ClockField(label="End of surgery (real or planned)")
    start = ClockField(required=False, label="Start, if known")
    surgeon = forms.CharField(max_length=150, required=False, label="Surgeon, if known", widget=SURGEON)
    team = forms.ChoiceField(choices=[])
    pathway = forms.ChoiceField(choices=[], required=False)
    is_synthetic = forms.BooleanField(required=False, label="Synthetic: not a real person")
    is_another_person = forms.BooleanField(required=False, label="I have checked: this is another person")

    def __init__(
        self,
        *args: Any,
        zone: ZoneInfo,
        teams: list[tuple[str, str]],
        pathways: list[tuple[str, str]],
        demo: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for one in self.fields.values():
            one.error_messages["required"] = "Fill this in."
        for name in ("start", "end"):
            self.fields[name].zone = zone  # type: ignore[attr-defined]
        self.fields["team"].choices = teams  # type: ignore[attr-defined]
        self.fields["pathway"].choices = [("", "The usual one for the operation"), *pathways]  # type: ignore[attr-defined]
        if not demo:
            del self.fields["is_synthetic"]

    def person(self) -> NewPerson:
        good = self.cleaned_data
        return NewPerson(
            record_number=good["record_number"].strip(),
            family_name=good["family_name"].strip(),
            given_name=good["given_name"].strip(),
            birth_date=good["birth_date"],
            sex=good["sex"],
            is_synthetic=good.get("is_synthetic", False),
        )

    def operation(self) -> NewOperation:
        good = self.cleaned_data
        text, surgeon = good["text"].strip(), good["surgeon"].strip()
        return NewOperation(good["procedure"], text, good["start"], good["end"], surgeon)


class AdoptForm(forms.Form):
    team = forms.SlugField(max_length=64)


class WhyForm(forms.Form):
    reason = forms.CharField(max_length=300)


class MoveForm(WhyForm):
    end = ClockField()
    start = ClockField(required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("start", "end"):
            self.fields[name].zone = zone  # type: ignore[attr-defined]


class SurgeonForm(WhyForm):
    surgeon = forms.CharField(max_length=150, required=False)


class TransferForm(WhyForm):
    team = forms.SlugField(max_length=64)


class PathwayForm(WhyForm):
    """`pathway` is key/version."""

    pathway = forms.RegexField(r"^[a-z0-9-]{1,64}/\d{1,6}$")

    def chosen(self) -> tuple[str, int]:
        key, _, version = self.cleaned_data["pathway"].partition("/")
        return key, int(version)
