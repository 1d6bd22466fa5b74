"""Signing in and out, one's own account, and the first page of each role."""

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.views import PasswordChangeView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_POST

from recovery import audit
from recovery.audit import Actor
from recovery.models import User
from recovery.selectors import account
from recovery.services import staff
from recovery.views import door

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


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """Also the way out for somebody who has given a password and not yet the second factor."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.user.is_authenticated:
            door.note(request, door.clock(), "sign_out")
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache"'
        return response


class ChangePassword(PasswordChangeView):
    """Asks for the old password; the library ends no other session, the list of sessions on the account page does."""

    success_url = reverse_lazy("account")

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        door.note(self.request, door.clock(), "change_password")
        messages.success(self.request, "Your password is changed. Your other sessions have ended.")
        return response


def home(request: HttpRequest) -> HttpResponse:
    return redirect(FIRST_PAGE.get(User.Role(door.person(request).role), "help"))


def show_account(request: HttpRequest) -> HttpResponse:
    seen = account.account_of(door.person(request), request.session.session_key or "", door.clock())
    return render(request, "pages/account.html", {"account": seen})


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    staff.end_session(user=door.person(request), session_id=pk, actor=door.actor(request), now=door.clock())
    messages.success(request, "That session has ended.")
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
