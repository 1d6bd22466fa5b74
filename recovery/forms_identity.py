"""Shapes of what people send on the pages of emergency access, teams and invitations."""

from django import forms

from recovery.models import EmergencyAccess, User

STAFF_ROLES = [(role, User.Role(role).label) for role in ("clinician", "lead", "administrator")]


class EmergencySearchForm(forms.Form):
    record_number = forms.CharField(max_length=128, required=False, label="Record number, exactly")
    family_name = forms.CharField(max_length=200, required=False, label="or family name, exactly")
    birth_date = forms.DateField(required=False, label="and birth date", widget=forms.DateInput(attrs={"type": "date"}))


class EmergencyOpenForm(forms.Form):
    ticket = forms.CharField(max_length=400)
    reason = forms.CharField(max_length=500)


class EmergencyReviewForm(forms.Form):
    verdict = forms.ChoiceField(choices=EmergencyAccess.Verdict.choices)
    note = forms.CharField(max_length=500, required=False)


class InviteForm(forms.Form):
    first_name = forms.CharField(max_length=150)
    last_name = forms.CharField(max_length=150)
    username = forms.CharField(max_length=150, help_text="What they type to sign in.")
    role = forms.ChoiceField(choices=STAFF_ROLES)
    teams = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: object, teams: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["teams"].choices = teams  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=STAFF_ROLES)
    is_privacy_officer = forms.BooleanField(required=False)
    is_model_steward = forms.BooleanField(required=False)


class ActiveForm(forms.Form):
    active = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])


class MembershipForm(forms.Form):
    team = forms.SlugField(max_length=64)
    until = forms.DateField(required=False)


class TeamForm(forms.Form):
    key = forms.SlugField(max_length=64)
    name = forms.CharField(max_length=120)


class FirstPasswordForm(forms.Form):
    password = forms.CharField(max_length=256, strip=False)
    again = forms.CharField(max_length=256, strip=False)

    def clean(self) -> dict[str, object]:
        good = super().clean() or {}
        if good.get("password") != good.get("again"):
            self.add_error("again", "Type the same password twice.")
        return good
