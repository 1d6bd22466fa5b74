"""PID as a Patient: laid over what is held, so that what another system said and PID leaves empty stays."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from integrations.hl7v2.errors import TABLE_VALUE, Hl7Error
from integrations.hl7v2.identity import Identifier, united
from integrations.hl7v2.message import NULL, Segment

Json = dict[str, Any]
# HL7 table 0001 -> FHIR administrative-gender
_GENDERS = {"F": "female", "M": "male", "O": "other", "U": "unknown", "A": "other", "N": "other"}
# HL7 table 0200 -> FHIR name-use; what is not here is told as usual
_USES = {"L": "official", "D": "usual", "M": "maiden", "N": "nickname", "A": "anonymous", "T": "temp", "": "official"}
_PHONES = {"CP": "mobile", "FX": "", "PH": ""}


def patient(pid: Segment, found: list[Identifier], fhir_id: str, held: Mapping[str, Any], zone: ZoneInfo) -> Json:
    said: Json = {name: value for name, value in held.items() if name != "meta"}
    said |= {"resourceType": "Patient", "id": fhir_id, "identifier": united(held.get("identifier", ()), found)}
    _lay(said, "name", [_name(pid, repeat) for repeat in pid.repeats(5) if pid.text(5, 1, repeat)], pid.text(5))
    _lay(said, "birthDate", pid.time(7, zone)[:10], pid.text(7))
    _lay(said, "gender", _gender(pid), pid.text(8))
    _lay(said, "address", [_address(pid, repeat) for repeat in pid.repeats(11)], pid.text(11))
    _lay(said, "telecom", _telecoms(pid), pid.text(13))
    _lay_death(said, pid, zone)
    return said


def _lay(said: Json, name: str, value: Any, text: str) -> None:
    """Empty leaves what is held; "" (two double quotes) takes it away."""
    if text == NULL:
        said.pop(name, None)
    elif value:
        said[name] = value


def _name(pid: Segment, repeat: int) -> Json:
    given = [word for part in (2, 3) for word in pid.text(5, part, repeat).split() if word != NULL]
    said: Json = {"use": _USES.get(pid.text(5, 7, repeat), "usual"), "family": pid.text(5, 1, repeat)}
    said |= {"given": given} if given else {}
    return said | ({"prefix": [pid.text(5, 5, repeat)]} if pid.text(5, 5, repeat) else {})


def _gender(pid: Segment) -> str:
    said = pid.text(8)
    if said in ("", NULL):
        return ""
    if said.upper() not in _GENDERS:
        raise Hl7Error(pid.place(8), f"{pid.place(8)} is not in table 0001: send F, M, O, U, A or N.", TABLE_VALUE)
    return _GENDERS[said.upper()]


def _address(pid: Segment, repeat: int) -> Json:
    parts = {"city": 3, "state": 4, "postalCode": 5, "country": 6}
    said: Json = {name: pid.text(11, part, repeat) for name, part in parts.items() if pid.text(11, part, repeat)}
    lines = [pid.text(11, part, repeat) for part in (1, 2) if pid.text(11, part, repeat) not in ("", NULL)]
    return said | ({"line": lines} if lines else {})


def _telecoms(pid: Segment) -> list[Json]:
    found = []
    for field, use in ((13, "home"), (14, "work")):
        for repeat in pid.repeats(field):
            number, mail = pid.text(field, 1, repeat) or pid.text(field, 12, repeat), pid.text(field, 4, repeat)
            if number and number != NULL:
                kind = "fax" if pid.text(field, 3, repeat) == "FX" else "phone"
                found.append({"system": kind, "value": number, "use": _PHONES.get(pid.text(field, 3, repeat)) or use})
            if mail and mail != NULL:
                found.append({"system": "email", "value": mail, "use": use})
    return found


def _lay_death(said: Json, pid: Segment, zone: ZoneInfo) -> None:
    at, flag = pid.time(29, zone), pid.text(30).upper()
    if at:
        said["deceasedDateTime"] = at
        said.pop("deceasedBoolean", None)
    elif flag == "Y" and "deceasedDateTime" not in said:
        said["deceasedBoolean"] = True
    elif flag == "N" or NULL in (pid.text(29), pid.text(30)):
        said.pop("deceasedDateTime", None)
        said.pop("deceasedBoolean", None)
