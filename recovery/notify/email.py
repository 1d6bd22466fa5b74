"""By e-mail, through Django's backend."""

from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage

from recovery.notify.message import Message, NotDelivered

FOOT = "twinweb is not a primary alarm. How you are told is set on your page of notifications."


def send_email(address: str, message: Message) -> None:
    """Raises NotDelivered."""
    mail = EmailMessage(
        subject=message.title,
        body=f"{message.text}\n\n{message.page}\n\n{FOOT}\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={"Message-ID": f"<{message.key}@twinweb>", "Auto-Submitted": "auto-generated"},
    )
    try:
        sent = mail.send()
    except SMTPRecipientsRefused as error:
        raise NotDelivered("The mail server refuses this address.", for_good=True) from error
    except (SMTPException, OSError, ValueError) as error:
        raise NotDelivered(f"The mail server did not take it ({type(error).__name__}).") from error
    if not sent:
        raise NotDelivered("The mail server did not take it.")
