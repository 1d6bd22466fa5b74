"""The name of an operation inside a patient's sentence, in the patient's language.

A hospital sends it in its own language and words ("Colectomy, laparoscopic"). In English it is told as sent; in another
language an operation of the catalogue is told in that language, and any other as sent.
"""

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

# By key of twin.profile.PROCEDURES; the parts and ways of an operation in words of reading age 9 to 11.
NAMES = {
    "knee_replacement": gettext_lazy("your new knee joint"),
    "hip_replacement": gettext_lazy("your new hip joint"),
    "colectomy": gettext_lazy("your bowel operation"),
    "colectomy_laparoscopic": gettext_lazy("your keyhole operation on the bowel"),
    "colectomy_open": gettext_lazy("your open operation on the bowel"),
    "cholecystectomy": gettext_lazy("your gallbladder operation"),
    "cardiac": gettext_lazy("your heart operation"),
    "hip_fracture": gettext_lazy("your operation on a broken hip"),
    "lobectomy": gettext_lazy("your lung operation"),
    "lobectomy_vats": gettext_lazy("your keyhole operation on the lung"),
    "lobectomy_open": gettext_lazy("your open operation on the lung"),
    "sleeve_gastrectomy": gettext_lazy("your stomach operation"),
    "hysterectomy": gettext_lazy("your womb operation"),
    "hysterectomy_minimal": gettext_lazy("your womb operation through small cuts"),
    "hysterectomy_open": gettext_lazy("your open womb operation"),
    "spinal_fusion": gettext_lazy("your back operation"),
}


def operation_name(procedure: str, sent: str) -> str:
    """For "Day 4 after …". `procedure`: a key of the catalogue or blank; `sent`: the hospital's words or blank."""
    is_english = (get_language() or "en").startswith("en")
    known = NAMES.get(procedure)
    if known and not (sent and is_english):
        return str(known)
    if not sent:
        return _("your operation")
    return _inside_english(sent) if is_english else sent


def _inside_english(name: str) -> str:
    """ "Total knee replacement" begins small inside a sentence, an abbreviation does not."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
