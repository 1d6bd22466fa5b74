"""Refusals of services that a patient or a caregiver may read, marked for translation: services speak English."""

from django.utils.translation import gettext, gettext_lazy

KNOWN = (
    gettext_lazy("Please type a number."),
    gettext_lazy("This number cannot be right. Please look again."),
    gettext_lazy("This time has not come yet."),
    gettext_lazy("Please type in readings of the last 7 days only."),
    gettext_lazy("You have said that these readings may not be used. Change it under My consent first."),
    gettext_lazy("Please give the number with its country, as +49 170 1234567."),
    gettext_lazy("Please give an e-mail address."),
    gettext_lazy("This hospital does not send SMS yet. Please choose e-mail."),
    gettext_lazy("Please write something, and at most 4000 letters."),
    gettext_lazy("Please say in a few words what it is about."),
    gettext_lazy("That is many messages in one hour. Please wait a little, or call your team."),
    gettext_lazy("You can have 8 people at most. Please end one of them first."),
    gettext_lazy("That is not the date of birth we know."),
    gettext_lazy("You are already let in here."),
    gettext_lazy("This phone may not show messages yet. Press the button below first."),
    gettext_lazy("Please choose where you live."),
    gettext_lazy("We could not send the code. Please try again later, or choose e-mail."),
    gettext_lazy("We have just sent a code. Please wait a minute before you ask for another."),
    gettext_lazy("Those were many codes in one day. Please try again tomorrow, or choose e-mail."),
    gettext_lazy("This code is too old, or was tried too often. Please ask for a new one."),
    gettext_lazy("This is not the code we sent. Please look again."),
    gettext_lazy("There is no such page for you here."),
    gettext_lazy("This link cannot be used any more. Please ask for a new one."),
    gettext_lazy("There is no such check-in now."),
    gettext_lazy("Your hospital must keep your data for now. You read why under My record."),
)


def told(message: str) -> str:
    """In the reader's language where it is known; as it is otherwise."""
    return gettext(message)
