"""What patients and who helps them are sent, in their language, by SMS, e-mail and push.

It names nobody and nothing of health: whoever picks up the phone learns that a hospital asks or has written something.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Words:
    """`sms` and `mail` hold {link}. `page`: where the person finds it."""

    sms: str | Promise
    title: str | Promise
    mail: str | Promise
    push: str | Promise
    page: str


ABOUT_CHECK_IN = Words(
    sms=_(
        "Your hospital asks how you are today. How bad is your pain, 0 (none) to 10? Reply with the number."
        " Emergency: call your emergency number. STOP ends this."
    ),
    title=_("Your check-in is open"),
    mail=_(
        "Your check-in is open. It takes about two minutes.\n\n{link}\n\nYou can change or stop these reminders there."
    ),
    push=_("It takes about two minutes."),
    page="/me/",
)
ABOUT_MESSAGE = Words(
    sms=_("Your hospital has written to you. Sign in to read it: {link} STOP ends this."),
    title=_("Your hospital has written to you"),
    mail=_("Your hospital has written to you. Sign in to read it.\n\n{link}\n\nYou can stop these mails there."),
    push=_("Sign in to read it."),
    page="/me/messages/",
)
# To who helps: not whom. A page of theirs says that, since they may help several.
ABOUT_HELPED_CHECK_IN = Words(
    sms=_("A check-in waits for somebody you help. Sign in to answer it: {link} STOP ends this."),
    title=_("A check-in waits for somebody you help"),
    mail=_(
        "A check-in waits for somebody you help. It takes about two minutes.\n\n{link}\n\n"
        "You can change or stop these reminders there."
    ),
    push=_("It takes about two minutes."),
    page="/me/people/",
)
ABOUT_HELPED_MESSAGE = Words(
    sms=_("The hospital has written to somebody you help. Sign in to read it: {link} STOP ends this."),
    title=_("The hospital has written to somebody you help"),
    mail=_(
        "The hospital has written to somebody you help. Sign in to read it.\n\n{link}\n\n"
        "You can stop these mails there."
    ),
    push=_("Sign in to read it."),
    page="/me/people/",
)
