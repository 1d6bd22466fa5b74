"""Forms of the registration console."""

import json
from datetime import datetime, timedelta
from typing import Any

from django import forms

from integrations.smart.keys import check_keys
from integrations.smart.scopes import parse
from integrations.smart.wording import said

KINDS = (
    ("app", "An app that people open (SMART launch)"),
    ("backend", "A backend service that signs for its tokens (SMART Backend Services)"),
    ("token", "A system with a fixed token, for those that can do no more"),
)
SHOWS = (
    ("public", "PKCE alone: it runs in a browser or on a phone and can keep no secret"),
    ("keys", "It signs with a key of its own (private_key_jwt)"),
    ("secret", "A shared secret, for apps that cannot sign"),
)
MOST_DAYS = 3_650


def jwks_of(text: str) -> dict[str, Any] | None:
    """The JSON of a checked form."""
    found: dict[str, Any] | None = json.loads(text) if text.strip() else None
    return found


class KeysForm(forms.Form):
    jwks_url = forms.CharField(required=False, max_length=500, label="Address of its public keys (JWKS)")
    jwks = forms.CharField(required=False, max_length=20_000, label="or the public keys themselves")

    def clean_jwks_url(self) -> str:
        url: str = self.cleaned_data["jwks_url"].strip()
        if url and not url.startswith(("https://", "http://")):
            raise forms.ValidationError("The address begins with https://.")
        return url

    def clean_jwks(self) -> str:
        text: str = self.cleaned_data["jwks"]
        if not text.strip():
            return ""
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            raise forms.ValidationError("This is no JSON.") from None
        if not isinstance(given, dict) or not check_keys(given):
            raise forms.ValidationError(
                'No key in it can be used. It is a JSON object with "keys": RSA of 2048 bits or more, or EC P-384, each'
                " with its kid."
            )
        return text


class RegisterForm(KeysForm):
    """`shows`: how an app shows who it is."""

    field_order = ("kind", "name", "scopes", "redirect_uris", "launch_url", "shows", "jwks_url", "jwks", "days")

    kind = forms.ChoiceField(choices=KINDS, initial="app", label="What is it?")
    name = forms.CharField(max_length=120, label="Name")
    scopes = forms.CharField(max_length=2000, label="What it may do (scopes)")
    redirect_uris = forms.CharField(required=False, max_length=4000, label="Redirect addresses, one a line")
    launch_url = forms.CharField(required=False, max_length=500, label="Launch address")
    shows = forms.ChoiceField(choices=SHOWS, initial="public", label="How does an app show who it is?", required=False)
    days = forms.IntegerField(required=False, min_value=1, max_value=MOST_DAYS, label="Ends after so many days")

    def clean_scopes(self) -> str:
        text = " ".join(self.cleaned_data["scopes"].split())
        strange = [one.word for one in said(text.split()) if not one.is_known]
        if strange:
            raise forms.ValidationError(f"{strange[0][:80]} is no scope. Write for example patient/Observation.rs.")
        return text

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        kind, scopes = given.get("kind"), given.get("scopes", "")
        contexts = {one.context for one in parse(scopes).held}
        if kind in ("backend", "token") and scopes and "system" not in contexts:
            self.add_error("scopes", "Without a person it needs system/ scopes, for example system/Observation.rs.")
        if kind == "app" and "system" in contexts:
            self.add_error("scopes", "An app acts for a person: patient/ or user/ scopes, never system/.")
        signs = kind == "backend" or (kind == "app" and given.get("shows") == "keys")
        if signs and not given.get("jwks") and not given.get("jwks_url") and "jwks" not in self.errors:
            self.add_error("jwks_url", "Give the address of its public keys, or the keys themselves.")
        if not signs:
            given["jwks"], given["jwks_url"] = "", ""
        return given

    def expires_at(self, now: datetime) -> datetime | None:
        days = self.cleaned_data.get("days")
        return now + timedelta(days=days) if days else None
