"""Connecting a watch: what it gives and needs, to its maker's page and back, and ending it with a choice."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recovery.exceptions import Conflict
from recovery.portal_forms import DisconnectForm
from recovery.presenters.portal_refusals import told
from recovery.presenters.portal_vendors import FAILURES, VendorCard, vendor_cards
from recovery.selectors.portal_people import Subject
from recovery.selectors.sources import sources_of
from recovery.selectors.vendor_links import LinkSeen, links_of, withdrawn_of
from recovery.services import vendor_links
from recovery.services.vendor_links import StateLate, StateRefused
from recovery.vendors import oauth
from recovery.vendors.oauth import VendorAway, VendorRefuses
from recovery.vendors.providers import Provider, provider_named, providers
from recovery.views import door, portal_door

LONGEST_CODE = 2_000


def cards_of(found: Subject, links: tuple[LinkSeen, ...], zone: Any) -> tuple[VendorCard, ...]:
    """A card for each maker that this hospital works with."""
    known = providers()
    sources = {one.source: one for one in sources_of(found.patient_id, door.clock())}
    sealed = {one.key: withdrawn_of(found.patient_id, one.metrics) for one in known}
    return vendor_cards(known, links, sources, sealed, door.clock(), zone)


@require_GET
def show_vendor(request: HttpRequest, provider: str) -> HttpResponse:
    """Before the maker's page: what it gives, what we may use it for, and the button. Connected: how to end it."""
    now = door.clock()
    found = portal_door.subject(request, "connect", now)
    maker = provider_named(provider)
    portal_door.note(request, found, now, "view_devices", detail={"maker": maker.key})
    return _show(request, found, maker)


def _show(
    request: HttpRequest, found: Subject, maker: Provider, failure: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    cards = cards_of(found, links_of(found.patient_id), portal_door.zone_of(found))
    context = {
        "card": next(one for one in cards if one.provider == maker.key),
        "failure": FAILURES.get(failure, ""),
        "problem": problem,
    }
    response = render(request, "portal/vendor.html", context, status=status)
    # Browsers hold the redirect that follows a form to form-action as well: the maker's page must be in it.
    parts = urlsplit(maker.authorize_url)
    if parts.netloc:
        response._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]
    return response


@require_POST
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """To the maker, with a state that is good once in this session."""
    now = door.clock()
    found = portal_door.subject(request, "connect", now)
    maker = provider_named(provider)
    begun = vendor_links.begin(
        patient_id=found.patient_id,
        user_id=door.person(request).pk,
        provider=maker,
        session_mark=_session_mark(request),
        actor=door.actor(request),
        now=now,
    )
    there = oauth.address(maker, state=begun.state, verifier=begun.verifier, back=_back(request, maker))
    return HttpResponseRedirect(there)


@require_GET
def come_back(request: HttpRequest, provider: str) -> HttpResponse:
    """From the maker's page. Whatever went wrong, the page says what, and the one thing to do next."""
    now = door.clock()
    found = portal_door.subject(request, "connect", now)
    maker = provider_named(provider)
    failure = _failure(request, found, maker)
    if failure:
        portal_door.note(request, found, now, "device_connect_failed", detail={"maker": maker.key, "why": failure})
        return _show(request, found, maker, failure, status=200 if failure == "denied" else 400)
    messages.success(request, _("Connected. The first readings come in some minutes."))
    return redirect("me_devices")


def _failure(request: HttpRequest, found: Subject, maker: Provider) -> str:
    """Connects; blank when it went well, else a key of FAILURES."""
    now = door.clock()
    try:
        way = vendor_links.come_back(
            state=request.GET.get("state", "")[:LONGEST_CODE],
            user_id=door.person(request).pk,
            provider=maker,
            session_mark=_session_mark(request),
            now=now,
        )
    except StateLate:
        return "late"
    except StateRefused:
        return "refused"
    if way.patient_id != found.patient_id:  # a caregiver who went in to somebody else meanwhile
        return "refused"
    error, code = request.GET.get("error", ""), request.GET.get("code", "")
    if error or not 0 < len(code) <= LONGEST_CODE:
        return "denied" if error == "access_denied" else "away" if error else "unclear"
    try:
        tokens = oauth.exchange(maker, code=code, verifier=way.verifier, back=_back(request, maker), now=now)
    except VendorRefuses:
        return "code"
    except VendorAway:
        return "away"
    vendor_links.connect(
        patient_id=way.patient_id, provider=maker, tokens=tokens, actor=door.actor(request), now=door.clock()
    )
    return ""


@require_POST
def disconnect(request: HttpRequest, provider: str) -> HttpResponse:
    now = door.clock()
    found = portal_door.subject(request, "connect", now)
    maker = provider_named(provider)
    link = next((one for one in links_of(found.patient_id) if one.provider == maker.key), None)
    if link is None or link.status == "ended":
        return redirect("me_vendor", provider=maker.key)
    form = DisconnectForm(request.POST)
    if not form.is_valid():
        return _show(request, found, maker, problem=str(next(iter(form.errors.values()))[0]), status=400)
    keep = form.cleaned_data["readings"] == "keep"
    try:
        vendor_links.disconnect(
            patient_id=found.patient_id, key=link.key, keep=keep, actor=door.actor(request), now=now
        )
    except Conflict as error:
        return _show(request, found, maker, problem=told(error.message), status=409)
    messages.success(
        request,
        _("Disconnected. We keep the readings we have.")
        if keep
        else _("Disconnected. The readings of this device are deleted."),
    )
    return redirect("me_devices")


def _session_mark(request: HttpRequest) -> str:
    return salted_hmac("recovery.vendor.session", request.session.session_key or "", algorithm="sha256").hexdigest()


def _back(request: HttpRequest, maker: Provider) -> str:
    """The maker's own way back: each has another, so that one cannot hand us the answer of another (RFC 9700, 4.4)."""
    path = reverse("me_vendor_back", args=[maker.key])
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)
