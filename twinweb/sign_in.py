"""How the sign-in library serves this product: no open sign-up, secrets encrypted, roles from the identity provider."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from recovery.audit import Actor
from recovery.exceptions import Forbidden, RecoveryError
from recovery.services import single_sign_on
from recovery.services.single_sign_on import Claims
from recovery.views import errors
from twinweb.client_address import client_address

NOWHERE = "0.0.0.0"  # noqa: S104  (no address: a client that has none, as in tests)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators, invitations and the hospital's identity provider; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or NOWHERE

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Staff have no e-mail address here; what happened to an account stands in the audit trail."""

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The library's messages would greet people by name on the next page they see; ours say what they need."""


class MfaAdapter(DefaultMFAAdapter):
    """The secret of an authenticator app is of no use to somebody who reads only the database."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """See AccountAdapter."""


def _cipher() -> Fernet:
    key = hashlib.sha256(b"authenticators:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Who the identity provider vouches for becomes one of our people, or is turned away."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        known = sociallogin.user if sociallogin.is_existing else None
        try:
            if sociallogin.state.get("process") != "login":
                raise Forbidden("Identities are linked by signing in, and by nothing else.")
            user = single_sign_on.person_for(
                known=known,
                claims=claims_of(sociallogin.account.extra_data),
                roles=settings.OIDC_ROLES,
                actor=Actor.system("single sign-on"),
                now=timezone.now(),
            )
        except RecoveryError as error:
            page = errors.refused(request, 403, error.message)
            raise ImmediateHttpResponse(page) from error
        if sociallogin.is_existing:
            sociallogin.user = user
        else:
            sociallogin.connect(request, user)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """See AccountAdapter."""


def claims_of(extra: Mapping[str, Any]) -> Claims:
    """What the provider said of the person, in the ID token and the userinfo; the token's word goes first."""
    said = {**extra.get("userinfo", {}), **extra.get("id_token", {})}
    if not said:
        said = dict(extra)
    groups = said.get(settings.OIDC_ROLE_CLAIM, ())
    return Claims(
        username=str(said.get(settings.OIDC_USERNAME_CLAIM) or ""),
        first_name=str(said.get("given_name") or ""),
        last_name=str(said.get("family_name") or ""),
        groups=tuple(map(str, groups)) if isinstance(groups, list | tuple) else (str(groups),),
    )
