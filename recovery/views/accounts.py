"""Signing in and out, one's own account, and the first page of each role."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.views import PasswordChangeView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recovery import audit
from recovery.audit import Actor
from recovery.models import User
from recovery.presenters.portal_account import code_problem, device_cards
from recovery.selectors import account
from recovery.services import staff
from recovery.views import door, portal_dress
from recovery.views.portal_looks import looks, recall, remember, spoken

FIRST_PAGE = {
    User.Role.CLINICIAN: "board",
    User.Role.LEAD: "board",
    User.Role.PATIENT: "me",
    User.Role.CAREGIVER: "me",
    User.Role.ADMINISTRATOR: "unmapped",
}


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """Name and password; who has a second factor is asked for it next, by the library's own page."""

    template_name = "pages/login.html"
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        chosen = portal_dress.known(request.GET.get("language"))
        if not chosen:
            return super().get(request, *args, **kwargs)
        remember(request, chosen, int(request.session.get(portal_dress.TEXT, 1)))
        return redirect(portal_dress.sign_in_address(request.GET.get("next", "")))

    def get_template_names(self) -> list[str]:
        return ["portal/sign_in.html"] if portal_dress.is_page(self.request) else [self.template_name]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mine = looks(self.request) if portal_dress.is_page(self.request) else {"spoken": spoken()}
        return {**super().get_context_data(**kwargs), **mine}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        response: HttpResponse = perform_password_login(self.request, {"username": user.get_username()}, login)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Failures are counted without the name that was typed: people type passwords into that field."""
        actor = Actor.system("sign-in")
        audit.record(actor=actor, now=door.clock(), action="sign_in", outcome="failure")
        return super().form_invalid(form)


class PasskeySignIn(LoginWebAuthnView):
    """The library's; whoever came from the portal's sign-in is told there that their passkey was refused."""

    def form_invalid(self, form: LoginWebAuthnForm) -> HttpResponse:
        if portal_dress.is_page(self.request):
            return redirect(portal_dress.sign_in_address(self.request.POST["next"]) + "&refused=passkey")
        response: HttpResponse = super().form_invalid(form)
        return response


class SecondFactor(AuthenticateView):
    """The library's; for people of the portal in its dress and in their language."""

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        user = self.stage.login.user
        if user.role not in portal_dress.PEOPLE:
            response: HttpResponse = super().render_to_response(context, **kwargs)
            return response
        recall(self.request, user.pk)
        language = portal_dress.language_of(self.request)
        with translation.override(language):
            page = render(self.request, "portal/second_factor.html", {**context, **self._said(context, language)})
        page["Content-Language"] = language
        return page

    def _said(self, context: dict[str, Any], language: str) -> dict[str, object]:
        problems = context["form"].errors.as_data().get("code", [])
        known = context["js_data"]["request_options"]["publicKey"].get("allowCredentials")
        return {
            "problem": code_problem(str(problems[0].code or "incorrect_code")) if problems else "",
            "has_passkey": bool(known),
            "leave": portal_dress.second_factor_left(language),
        }


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """Also the way out for somebody who has given a password and not yet the second factor."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.user.is_authenticated:
            door.note(request, door.clock(), "sign_out")
        language = portal_dress.language_of(request) if portal_dress.is_theirs(request) else ""
        response = super().post(request, *args, **kwargs)
        if language:
            response = redirect(portal_dress.sign_in_address())
            if language != portal_dress.accepted(request.headers.get("Accept-Language", "")):
                remember(request, language, 1)
        response["Clear-Site-Data"] = '"cache"'
        return response


class ChangePassword(PasswordChangeView):
    """Asks for the old password; the library ends no other session, the list of sessions on the account page does."""

    success_url = reverse_lazy("account")

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        door.note(self.request, door.clock(), "change_password")
        messages.success(self.request, _("Your password is changed. Your other sessions have ended."))
        return response


def home(request: HttpRequest) -> HttpResponse:
    return redirect(FIRST_PAGE.get(User.Role(door.person(request).role), "help"))


def show_account(request: HttpRequest) -> HttpResponse:
    seen = account.account_of(door.person(request), request.session.session_key or "", door.clock())
    if not portal_dress.is_page(request):
        return render(request, "pages/account.html", {"account": seen})
    devices = device_cards(seen, timezone.get_current_timezone())
    return render(request, "portal/account.html", {"account": seen, "devices": devices})


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    staff.end_session(user=door.person(request), session_id=pk, actor=door.actor(request), now=door.clock())
    messages.success(request, _("That session has ended."))
    return redirect("account")


@require_http_methods(["GET", "POST"])
@login_not_required
def session(request: HttpRequest) -> HttpResponse:
    """How long the session still lasts. Asking changes nothing; a POST is somebody who wants to stay."""
    if not request.user.is_authenticated:
        return JsonResponse({"signed_in": False, "seconds": 0})
    if request.method == "POST":
        account.keep_on(request.session, door.person(request), door.clock())
    return JsonResponse({"signed_in": True, "seconds": account.seconds_left(request.session, door.clock())})
