"""Signing in and out, and the first page of each role."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from recovery import audit
from recovery.audit import Actor
from recovery.models import User
from recovery.views import door

FIRST_PAGE = {
    User.Role.CLINICIAN: "board",
    User.Role.LEAD: "board",
    User.Role.PATIENT: "me",
    User.Role.ADMINISTRATOR: "unmapped",
}


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    template_name = "pages/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        door.note(self.request, door.clock(), "sign_in")
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Failures are counted without the name that was typed: people type passwords into that field."""
        actor = Actor.system("sign-in")
        audit.record(actor=actor, now=door.clock(), action="sign_in", outcome="failure")
        return super().form_invalid(form)


class SignOut(LogoutView):
    http_method_names = ["post", "options"]


def home(request: HttpRequest) -> HttpResponse:
    return redirect(FIRST_PAGE.get(User.Role(door.person(request).role), "help"))
