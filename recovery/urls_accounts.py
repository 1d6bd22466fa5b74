"""One's own account and emergency access.

The sign-in library's pages are named one by one: there is no sign-up, and no e-mail to manage.
"""

from allauth.account import views as library
from allauth.socialaccount import views as single_sign_on
from django.urls import URLPattern, URLResolver, include, path

from recovery.views import accounts, emergency

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", accounts.SignIn.as_view(), name="login"),
    path("login/", accounts.SignIn.as_view(), name="account_login"),
    path("logout/", accounts.SignOut.as_view(), name="logout"),
    path("logout/", accounts.SignOut.as_view(), name="account_logout"),
    path("session/", accounts.session, name="session"),
    path("account/", accounts.show_account, name="account"),
    path("account/sessions/<int:pk>/end/", accounts.end_session, name="session_end"),
    path("account/password/", accounts.ChangePassword.as_view(), name="account_change_password"),
    path("account/password/first/", library.password_set, name="account_set_password"),
    path("account/again/", library.reauthenticate, name="account_reauthenticate"),
    path("account/inactive/", library.account_inactive, name="account_inactive"),
    path("account/factors/authenticate/", accounts.SecondFactor.as_view(), name="mfa_authenticate"),
    path("account/factors/webauthn/login/", accounts.PasskeySignIn.as_view(), name="mfa_login_webauthn"),
    path("account/factors/", include("allauth.mfa.urls")),
    path("account/sso/cancelled/", single_sign_on.login_cancelled, name="socialaccount_login_cancelled"),
    path("account/sso/error/", single_sign_on.login_error, name="socialaccount_login_error"),
    path("account/sso/", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("emergency/", emergency.show_search, name="emergency"),
    path("emergency/open/", emergency.open_record, name="emergency_open"),
    path("emergency/<uuid:key>/close/", emergency.close_record, name="emergency_close"),
    path("emergency/review/", emergency.show_queue, name="emergency_review"),
    path("emergency/review/<uuid:key>/", emergency.review, name="emergency_answer"),
]
