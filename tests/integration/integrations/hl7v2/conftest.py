"""Messages as a hospital sends them, and the door that answers."""

from datetime import UTC, datetime

import pytest

from integrations.hl7v2.receiving import receive
from tests.integration.integrations.fhir.conftest import Door, token_for

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
PID = "PID|1||{mrn}^^^HOSP^MR||Åberg^Nina^Maria^^Ms||19610402|F|||Storgatan 1^^Falun^^79130^SE||0231234^PRN^PH"
PV1 = "PV1|1|I|B2^12^1^HOSP||||||||||||||||V{visit}^^^HOSP^VN|||||||||||||||||||||||||202601050730+0100"
CRP = "OBX|{n}|NM|1988-5^C reactive protein^LN||{value}|mg/L|<5|H|||{status}|||20260107080000+0100"


def message(kind, *segments, control="m1", sender="EPIC|SOUTH", charset="UNICODE UTF-8", version="2.5"):
    head = f"MSH|^~\\&|{sender}|TWINWEB|US|20260107090000+0100||{kind}|{control}|P|{version}||||||{charset}"
    return ("\r".join([head, *segments]) + "\r").encode()


def adt(event="A01", mrn="100", visit="1", control="a1", **more):
    evn = f"EVN|{event}|20260105080000+0100"
    return message(f"ADT^{event}", evn, PID.format(mrn=mrn), PV1.format(visit=visit), control=control, **more)


def oru(*observed, mrn="100", control="o1", order="F77", **more):
    obr = f"OBR|1|P1|{order}|CRP^C reactive protein^L|||20260107080000+0100|||||||||||||||20260107083000+0100||LAB|F"
    return message("ORU^R01", PID.format(mrn=mrn), obr, *observed, control=control, **more)


def crp(value="12.50", n=1, status="F"):
    return CRP.format(n=n, value=value, status=status)


class Mllp:
    """Sends a message; the answer as {segment: fields}."""

    def __call__(self, raw, now=NOW):
        said = receive(raw, peer="10.0.0.7", now=now).decode()
        return {line[:3]: line.split("|") for line in said.strip("\r").split("\r")}

    def taken(self, raw, now=NOW):
        answer = self(raw, now)
        assert answer["MSA"][1] == "AA", answer
        return answer


@pytest.fixture
def mllp(db):
    return Mllp()


@pytest.fixture
def door(db):
    return Door(token_for("system/*.cruds"))
