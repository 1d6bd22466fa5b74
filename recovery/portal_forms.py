"""What people may send on the patient's pages: shapes only. The rules of the domain live in the services."""

from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from recovery.models import CaregiverGrant

SCOPES = (
    ("see", _("See how I am doing")),
    ("answer", _("Answer check-ins for me")),
    ("write", _("Read and write messages")),
    ("connect", _("Look after my devices")),
)
TOLD = (
    ("check_ins", _("Tell them when a check-in waits, if they may answer it")),
    ("messages", _("Tell them when the team has written, if they may read it")),
)
RELATIONS = (
    ("partner", _("Partner")),
    ("daughter", _("Daughter")),
    ("son", _("Son")),
    ("parent", _("Parent")),
    ("relative", _("Relative")),
    ("friend", _("Friend")),
    ("carer", _("Carer")),
)
assert [key for key, _words in RELATIONS] == CaregiverGrant.Relation.values  # noqa: S101


class LocalTimeField(forms.Field):
    """A date and time as a browser's own control sends it; read without a zone."""

    def to_python(self, value: object) -> datetime | None:
        if not value:
            return None
        try:
            return datetime.fromisoformat(str(value)).replace(tzinfo=None)
        except ValueError as error:
            raise forms.ValidationError(_("Please give a date and a time.")) from error


class ScopesForm(forms.Form):
    """`told`: of what we tell them; nothing ticked is a choice too."""

    scopes = forms.MultipleChoiceField(
        choices=SCOPES, error_messages={"required": _("Please choose at least one thing that this person may do.")}
    )
    told = forms.MultipleChoiceField(choices=TOLD, required=False)


class CaregiverForm(ScopesForm):
    called = forms.CharField(max_length=80, error_messages={"required": _("Please write the person's name.")})
    relation = forms.ChoiceField(choices=RELATIONS, error_messages={"required": _("Please say who this person is.")})


class BirthDateForm(forms.Form):
    birth_date = forms.DateField(error_messages={"invalid": _("Please give the date of birth.")})


class JoinForm(BirthDateForm):
    username = forms.CharField(max_length=150)
    password = forms.CharField(max_length=200, strip=False)


class UntilForm(forms.Form):
    until = forms.DateField(required=False)


class TakeForm(forms.Form):
    what = forms.ChoiceField(choices=[(key, key) for key in ("pdf", "ips", "csv")])
    password = forms.CharField(max_length=200, strip=False, required=False)


class HoldForm(forms.Form):
    reason = forms.CharField(max_length=500)
    review_on = forms.DateField(required=False)


class MessageForm(forms.Form):
    """`key`: made with the page, so that a form sent twice is one message."""

    key = forms.UUIDField()
    subject = forms.CharField(max_length=120, required=False)
    text = forms.CharField(max_length=4_000, error_messages={"required": _("Please write something.")})


class SourceForm(forms.Form):
    metric = forms.SlugField(max_length=40)
    source = forms.CharField(max_length=200, required=False)


class DisconnectForm(forms.Form):
    readings = forms.ChoiceField(
        choices=[("keep", "keep"), ("delete", "delete")],
        error_messages={"required": _("Please say what we do with the readings.")},
    )


class TypedForm(forms.Form):
    """`at`: the patient's own clock, without a zone."""

    kind = forms.ChoiceField(choices=[(key, key) for key in ("temperature", "temperature_f", "heart_rate", "steps")])
    value = forms.CharField(max_length=12, error_messages={"required": _("Please type a number.")})
    at = LocalTimeField(required=False)


class ContactForm(forms.Form):
    """Quiet hours are the patient's own clock."""

    channel = forms.ChoiceField(choices=[(key, key) for key in ("none", "email", "sms", "push")])
    address = forms.CharField(max_length=254, required=False)
    quiet_from = forms.TimeField()
    quiet_until = forms.TimeField()
    about_messages = forms.BooleanField(required=False)


class HelperContactForm(forms.Form):
    """Quiet hours are the clock of `zone`, where the caregiver lives."""

    channel = forms.ChoiceField(choices=[(key, key) for key in ("none", "email", "sms", "push")])
    address = forms.CharField(max_length=254, required=False)
    quiet_from = forms.TimeField()
    quiet_until = forms.TimeField()
    zone = forms.CharField(max_length=64, error_messages={"required": _("Please choose where you live.")})
