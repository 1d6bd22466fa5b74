"""What people of the portal are told when a page cannot be shown: what happened, what is safe, one next step."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Told:
    """`goes_back`: the next step is the page on which they were; else the first page."""

    heading: Words
    text: Words
    goes_back: bool = False


OLD_FORM = "old form"
NOT_HERE = Told(_("There is nothing here"), _("The link may be old, or the page may be for somebody else."))
TOLD: dict[int | str, Told] = {
    400: Told(
        _("We could not read that"),
        _("Something was missing, or not right. Nothing was changed. Look at what you typed, and send it again."),
        goes_back=True,
    ),
    403: Told(
        _("This is not open to you"),
        _("You cannot see or change this. Nothing was changed. Your care team can help you."),
    ),
    OLD_FORM: Told(
        _("This page was too old"),
        _("You opened it a while ago. Nothing was changed. Open the page again, and send it once more."),
        goes_back=True,
    ),
    404: NOT_HERE,
    405: Told(
        _("Nothing was sent"),
        _("What you sent last did not reach us. Open the page again, and send it once more."),
        goes_back=True,
    ),
    409: Told(
        _("This has changed"),
        _("It was changed while you looked at it. What you sent was not used. Open it again to see how it is now."),
        goes_back=True,
    ),
    410: Told(_("This is not here any more"), _("It was here, and was taken away.")),
    413: Told(
        _("That is too big"),
        _("We cannot take so much at once. Nothing was kept. Send a smaller picture, or fewer words."),
        goes_back=True,
    ),
    429: Told(_("Too many tries"), _("Please wait five minutes, and try again. Nothing was lost.")),
    500: Told(
        _("Something went wrong here"),
        _("The mistake is ours, not yours. What you sent before is safe. What you sent just now may be missing."),
    ),
    503: Told(
        _("We cannot answer just now"),
        _("What you sent before is safe. What you sent just now may be missing."),
    ),
}
