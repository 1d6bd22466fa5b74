"""Refusals of services that a patient or a caregiver may read, marked for translation: services speak English."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

KNOWN = (
    _("Please type a number."),
    _("This number cannot be right. Please look again."),
    _("This time has not come yet."),
    _("Please type in readings of the last 7 days only."),
    _("You have said that these readings may not be used. Change it under My consent first."),
    _("Please give the number with its country, as +49 170 1234567."),
    _("Please give an e-mail address."),
    _("This hospital does not send SMS yet. Please choose e-mail."),
    _("Please write something, and at most 4000 letters."),
    _("Please say in a few words what it is about."),
    _("That is many messages in one hour. Please wait a little, or call your team."),
    _("You can have 8 people at most. Please end one of them first."),
    _("That is not the date of birth we know."),
    _("You are already let in here."),
    _("This phone may not show messages yet. Press the button below first."),
    _("Please choose where you live."),
    _("We could not send the code. Please try again later, or choose e-mail."),
    _("We have just sent a code. Please wait a minute before you ask for another."),
    _("Those were many codes in one day. Please try again tomorrow, or choose e-mail."),
    _("This code is too old, or was tried too often. Please ask for a new one."),
    _("This is not the code we sent. Please look again."),
    _("There is no such page for you here."),
    _("This link cannot be used any more. Please ask for a new one."),
    _("There is no such check-in now."),
    _("Your hospital must keep your data for now. You read why under My record."),
    _("The disk of the server is full."),
    _("The database does not answer at the moment."),
)


def told_if_known(message: str) -> str:
    """In the reader's language; blank where only staff can read it."""
    return gettext(message) if message in KNOWN else ""


def told(message: str) -> str:
    """In the reader's language where it is known; as it is otherwise."""
    return gettext(message)
