"""The registration console for administrators: who may connect, what for, and ending it.

What a new connection is given (a secret, a token) is shown once, in the answer to the form itself, and kept nowhere.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.smart.addresses import address, fhir_of
from integrations.smart.forms import KeysForm, RegisterForm, jwks_of
from integrations.smart.scopes import read_scope
from integrations.smart.wording import Said, said
from recovery.audit import Actor
from recovery.exceptions import Conflict, Invalid, NotFound
from recovery.permissions import check_user_can_administer
from recovery.selectors.connections import Client, client_by_row, clients, launched_for
from recovery.services import connections, registration
from recovery.services.registration import Wanted

KINDS = {"token": "System with a fixed token", "backend": "Backend service", "app": "App that people open"}


@dataclass(frozen=True, slots=True)
class Line:
    """A connection as the console tells it. `state`: chip and word."""

    client: Client
    kind: str
    state: str
    state_word: str
    words: list[Said]

    @property
    def shows_itself_by(self) -> str:
        if self.client.kind == "token":
            return "its fixed token"
        if self.client.signs:
            return "signing (private_key_jwt)"
        return "its secret" if self.client.is_secret else "PKCE alone: it can keep no secret"


def line(client: Client, now: datetime) -> Line:
    if client.revoked_at is not None:
        state, word = "no_data", "revoked"
    elif not client.is_usable(now):
        state, word = "review", "expired"
    elif client.last_used_at is None:
        state, word = "watch", "never used"
    else:
        state, word = "on_track", "in use"
    words = sorted(said(client.scopes.split()), key=lambda one: read_scope(one.word) is None)
    return Line(client, KINDS[client.kind], state, word, words)


@require_GET
def show_connections(request: HttpRequest) -> HttpResponse:
    _administrator(request)
    now = timezone.now()
    lines = [line(one, now) for one in clients()]
    context = {
        "open": [one for one in lines if one.state != "no_data"],
        "ended": [one for one in lines if one.state == "no_data"],
    }
    return render(request, "smart/connections.html", context | {"fhir": fhir_of(request)})


@require_GET
def show_connection(request: HttpRequest, row_id: int) -> HttpResponse:
    _administrator(request)
    return _page(request, row_id)


def _page(request: HttpRequest, row_id: int, status: int = 200, **more: Any) -> HttpResponse:
    found = _found(row_id)
    context = {
        "line": line(found, timezone.now()),
        "launched_at": next(iter(launched_for(row_id)), None),
        "fhir": fhir_of(request),
        "token_address": address(request, "smart_token"),
        "authorize_address": address(request, "smart_authorize"),
        "jwks_text": json.dumps(found.jwks, indent=1) if found.jwks else "",
        "keys_form": KeysForm(
            initial={"jwks_url": found.jwks_url, "jwks": json.dumps(found.jwks) if found.jwks else ""}
        ),
    }
    return render(request, "smart/connection.html", context | more, status=status)


@sensitive_variables("secret", "token", "made")
@require_http_methods(["GET", "POST"])
def add_connection(request: HttpRequest) -> HttpResponse:
    actor = _administrator(request)
    form = RegisterForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 400
        return render(request, "smart/connection_new.html", {"form": form, "fhir": fhir_of(request)}, status=status)
    try:
        row_id, secret, is_token = _add(form, actor, timezone.now())
    except (Invalid, Conflict) as error:
        field = getattr(error, "field", None)
        form.add_error(field if field in form.fields else None, error.message)
        return render(request, "smart/connection_new.html", {"form": form, "fhir": fhir_of(request)}, status=400)
    return _page(request, row_id, status=201, secret=secret, secret_is_token=is_token, is_new=True)


def _add(form: RegisterForm, actor: Actor, now: datetime) -> tuple[int, str, bool]:
    """Row, what is shown once ("" for nothing), and whether that is a token."""
    given = form.cleaned_data
    if given["kind"] == "token":
        token = connections.issue_token(
            name=given["name"],
            scopes=given["scopes"],
            actor=actor,
            now=now,
            expires_at=form.expires_at(now),
            is_new=True,
        )
        row = next(one.row_id for one in clients() if one.name == given["name"].strip())
        return row, token, True
    wanted = Wanted(
        name=given["name"],
        kind=given["kind"],
        scopes=given["scopes"],
        redirect_uris=given["redirect_uris"].split(),
        launch_url=given["launch_url"],
        has_secret=given["shows"] == "secret",
        jwks=jwks_of(given["jwks"]),
        jwks_url=given["jwks_url"],
        expires_at=form.expires_at(now),
    )
    made = registration.register(wanted=wanted, actor=actor, now=now)
    return made.row_id, made.secret, False


@sensitive_variables("secret")
@require_POST
def rotate(request: HttpRequest, row_id: int) -> HttpResponse:
    actor, now = _administrator(request), timezone.now()
    is_token = _found(row_id).kind == "token"
    if is_token:
        secret = registration.rotate_token(row_id=row_id, actor=actor, now=now)
    else:
        secret = registration.rotate_secret(row_id=row_id, actor=actor, now=now).secret
    return _page(request, row_id, secret=secret, secret_is_token=is_token)


@require_POST
def change_keys(request: HttpRequest, row_id: int) -> HttpResponse:
    actor = _administrator(request)
    form = KeysForm(request.POST)
    if not form.is_valid():
        return _page(request, row_id, 400, keys_form=form)
    given = form.cleaned_data
    try:
        registration.change_keys(
            row_id=row_id, jwks=jwks_of(given["jwks"]), jwks_url=given["jwks_url"], actor=actor, now=timezone.now()
        )
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _page(request, row_id, 400, keys_form=form)
    messages.success(request, "The keys are changed. The old ones are not taken any more.", extra_tags="good")
    return HttpResponseRedirect(reverse("connection", args=[row_id]))


@require_POST
def revoke(request: HttpRequest, row_id: int) -> HttpResponse:
    actor = _administrator(request)
    registration.revoke(row_id=row_id, actor=actor, now=timezone.now())
    messages.success(request, "Revoked: it and all its tokens are closed.", extra_tags="good")
    return HttpResponseRedirect(reverse("connections"))


def _administrator(request: HttpRequest) -> Actor:
    user: Any = request.user
    check_user_can_administer(user)
    return Actor.of_user(user, getattr(request, "request_id", ""))


def _found(row_id: int) -> Client:
    found = client_by_row(row_id)
    if found is None:
        raise NotFound("There is no such connection.")
    return found
