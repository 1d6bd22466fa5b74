"""HL7 v2 in: the same patient, visit and readings as over FHIR; each message once; every refusal names its field."""

import pytest
from django.db import DatabaseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.hl7v2 import receiving
from recovery.models import Batch, Hl7Message, Sample, UnmappedCode
from recovery.selectors.hl7_messages import dead_letters
from tests.integration.integrations.fhir.conftest import content
from tests.integration.integrations.hl7v2.conftest import NOW, PID, adt, crp, message, oru


def found(door, query):
    return [one["resource"] for one in content(door.get(query)).get("entry", ()) if one["search"]["mode"] == "match"]


def one(door, query):
    [resource] = found(door, query)
    return resource


def test_an_admission_makes_a_patient_and_a_stay(mllp, door):
    answer = mllp.taken(adt())
    assert answer["MSA"][2] == "a1" and answer["MSH"][8] == "ACK^A01^ACK" and answer["MSH"][4:6] == ["EPIC", "SOUTH"]
    patient = one(door, "Patient?identifier=urn:hl7v2:HOSP|100")
    assert patient["name"][0] == {"use": "official", "family": "Åberg", "given": ["Nina", "Maria"], "prefix": ["Ms"]}
    assert (patient["gender"], patient["birthDate"], patient["address"][0]["city"]) == ("female", "1961-04-02", "Falun")
    stay = one(door, f"Encounter?patient={patient['id']}")
    assert (stay["status"], stay["class"]["code"]) == ("in-progress", "IMP")
    assert stay["period"] == {"start": "2026-01-05T07:30:00+01:00"}
    assert stay["location"] == [{"location": {"display": "HOSP B2 12 1"}}]


def test_what_was_brought_says_by_whom(mllp, door):
    mllp.taken(adt())
    patient = one(door, "Patient")
    [origin] = [row for row in found(door, f"Provenance?patient={patient['id']}") if row["id"].startswith("arrival-")]
    assert origin["agent"][0]["who"]["display"] == "HL7 v2 EPIC|SOUTH"
    assert Batch.objects.get().channel == "hl7v2"


def test_a_discharge_ends_the_stay_and_nothing_else(mllp, door):
    mllp.taken(adt())
    mllp.taken(adt("A03", control="a2"))
    stay = one(door, "Encounter")
    assert stay["status"] == "finished" and stay["period"]["end"] == "2026-01-05T08:00:00+01:00"
    assert stay["period"]["start"] == "2026-01-05T07:30:00+01:00" and len(found(door, "Patient")) == 1


def test_an_update_lays_over_what_is_held(mllp, door):
    mllp.taken(adt())
    patient = one(door, "Patient")
    changed = PID.format(mrn="100").replace("Åberg", "Öberg").replace("|F|", '|""|').replace("Storgatan 1^^Falun", "")
    mllp.taken(message("ADT^A08", "EVN|A08|20260106", changed.replace("^^79130^SE", ""), control="a2"))
    now = one(door, "Patient")
    assert now["id"] == patient["id"] and now["name"][0]["family"] == "Öberg"
    assert "gender" not in now and now["address"] == patient["address"]


def test_a_patient_that_came_over_fhir_is_the_same_one(mllp, door, settings):
    settings.HL7_IDENTIFIER_SYSTEMS = {"HOSP": "urn:mrn"}
    body = {"resourceType": "Patient", "id": "nina", "identifier": [{"system": "urn:mrn", "value": "100"}]}
    assert door.put("Patient/nina", body | {"maritalStatus": {"text": "married"}}).status_code == 201
    mllp.taken(adt())
    assert one(door, "Patient")["id"] == "nina" and one(door, "Patient")["maritalStatus"] == {"text": "married"}


def test_results_are_readings_of_the_twin_with_their_times_and_units(mllp, door):
    mllp.taken(adt())
    mllp.taken(oru(crp(), "OBX|2|NM|8310-5^Temp^LN||101.3|degF|||||F"))
    result = one(door, "Observation?code=http://loinc.org|1988-5")
    assert str(result["valueQuantity"]["value"]) == "12.50" and result["valueQuantity"]["code"] == "mg/L"
    assert result["effectiveDateTime"] == "2026-01-07T08:00:00+01:00" and result["status"] == "final"
    assert result["interpretation"][0]["coding"][0]["code"] == "H" and result["referenceRange"] == [{"text": "<5"}]
    by_metric = dict(Sample.objects.values_list("series__metric", "value"))
    assert by_metric["crp"] == 12.5 and by_metric["temperature"] == 101.3
    assert Sample.objects.get(series__metric="temperature").series.unit == "[degF]"


def test_a_message_sent_again_is_answered_alike_and_does_nothing(mllp, door):
    mllp.taken(adt())
    for _ in range(3):
        mllp.taken(oru(crp()))
    assert len(found(door, "Observation?code=1988-5")) == 1 and Batch.objects.count() == 2
    assert Hl7Message.objects.get(control_id="o1").times == 3


def test_the_same_result_in_another_message_is_one_result(mllp, door):
    mllp.taken(adt())
    mllp.taken(oru(crp()))
    mllp.taken(oru(crp(), control="o2"))
    assert len(found(door, "Observation?code=1988-5")) == 1


def test_a_correction_changes_what_it_corrects_and_a_withdrawal_takes_it_back(mllp, door):
    mllp.taken(adt())
    mllp.taken(oru(crp()))
    mllp.taken(oru(crp("125", status="C"), control="o2"))
    result = one(door, "Observation?code=1988-5")
    assert result["status"] == "corrected" and result["valueQuantity"]["value"] == 125
    assert result["meta"]["versionId"] == "2"
    mllp.taken(oru(crp("125", status="W"), control="o3"))
    assert one(door, "Observation?code=1988-5")["status"] == "entered-in-error"
    assert not Sample.objects.filter(ended_batch__isnull=True, series__metric="crp").exists()


@pytest.mark.parametrize(
    ("obx", "element", "wanted"),
    [
        ("SN|L1^x^L||>^200|mg/L", "valueQuantity", {"value": 200, "comparator": ">"}),
        ("SN|L1^x^L||^1^:^128", "valueRatio", {"numerator": {"value": 1}, "denominator": {"value": 128}}),
        ("SN|L1^x^L||^3^-^5", "valueRange", {"low": {"value": 3}, "high": {"value": 5}}),
        ("NM|L1^x^L||<0.5", "valueQuantity", {"comparator": "<"}),
        ("NM|L1^x^L||+007", "valueQuantity", {"value": 7}),
        ("ST|L1^x^L||E\\T\\F cloudy", "valueString", "E&F cloudy"),
        ("FT|L1^x^L||one~two", "valueString", "one\ntwo"),
        ("CWE|L1^x^L||274643008^Pale^SCT", "valueCodeableConcept", {"text": "Pale"}),
        ("TS|L1^x^L||20260107", "valueDateTime", "2026-01-07"),
        ("NM|L1^x^L||", "dataAbsentReason", {}),
    ],
)
def test_each_type_of_value_is_said_in_fhir(mllp, door, obx, element, wanted):
    mllp.taken(adt())
    mllp.taken(oru(f"OBX|1|{obx}" + "|" * (10 - f"OBX|1|{obx}".count("|")) + "|F"))
    said = one(door, "Observation?code=L1")[element]
    assert said == wanted if isinstance(wanted, str) else wanted.items() <= said.items()


def test_a_local_code_is_kept_and_listed_as_unmapped(mllp, door):
    mllp.taken(adt())
    mllp.taken(oru("OBX|1|NM|KLEUR^Colour^L||3|units|||||F"))
    assert one(door, "Observation?code=urn:hl7v2:south-l|KLEUR")["valueQuantity"] == {"value": 3, "unit": "units"}
    assert UnmappedCode.objects.get(code="KLEUR").system == "urn:hl7v2:south-l"


def test_a_time_without_an_offset_is_the_hospitals(mllp, door, settings):
    settings.HOSPITAL_TIME_ZONE = "Europe/Stockholm"
    mllp.taken(adt())
    mllp.taken(oru(crp().replace("20260107080000+0100", "20260707080000")))
    assert one(door, "Observation?code=1988-5")["effectiveDateTime"] == "2026-07-07T08:00:00+02:00"


@pytest.mark.parametrize(("charset", "codec"), [("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("", "utf-8")])
def test_names_are_read_in_the_charset_that_the_message_names(mllp, door, charset, codec):
    raw = adt(charset=charset).decode().encode(codec)
    mllp.taken(raw)
    assert one(door, "Patient")["name"][0]["family"] == "Åberg"


# ---- refusals ---


def refused(answer, code, place):
    assert answer["MSA"][1] == code and answer["ERR"][2] == place, answer
    assert answer["ERR"][8] == answer["MSA"][3] != ""
    return answer


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        (b"not a message", "AR", "MSH^1"),
        (b"MSH|^~\\&|", "AR", "MSH^1^10"),
        (adt("A99"), "AR", "MSH^1^9"),
        (message("MDM^T02"), "AR", "MSH^1^9"),
        (adt(control=""), "AR", "MSH^1^10"),
        (adt(version="3.0"), "AR", "MSH^1^12"),
        (adt(charset="KLINGON"), "AR", "MSH^1^18"),
        (adt(charset="ASCII"), "AE", "MSH^1^18"),
        (adt().replace(b"100^^^HOSP^MR", b""), "AE", "PID^1^3"),
        (adt().replace(b"|F|", b"|Q|"), "AE", "PID^1^8"),
        (adt().replace(b"19610402", b"19611340"), "AE", "PID^1^7"),
        (adt().replace(b"PV1|1|I", b"PV1|1|Z"), "AE", "PV1^1^2"),
        (message("ADT^A01"), "AE", "PID^1"),
        (oru(crp(), mrn="nobody"), "AE", "PID^1^3"),
        (message("ADT^A40", PID.format(mrn="100"), "MRG|999^^^HOSP^MR"), "AE", "MRG^1^1"),
    ],
)
def test_what_is_wrong_is_said_by_segment_and_field(mllp, raw, code, place):
    mllp.taken(adt(control="known", mrn="100", visit="7"))
    refused(mllp(raw), code, place)


@pytest.mark.parametrize(
    ("obx", "place"),
    [
        ("OBX|1|NM|1988-5^x^LN||high|mg/L|||||F", "OBX^1^5"),
        ("OBX|1|ED|1988-5^x^LN||x|mg/L|||||F", "OBX^1^2"),
        ("OBX|1|NM|||5|mg/L|||||F", "OBX^1^3"),
        ("OBX|1|NM|1988-5^x^LN||5|mg/L|||||Q", "OBX^1^11"),
        ("OBX|1|NM|1988-5^x^LN||5|mg/L|||||F|||yesterday", "OBX^1^14"),
    ],
)
def test_a_result_that_cannot_be_read_refuses_the_whole_message(mllp, door, obx, place):
    mllp.taken(adt())
    answer = refused(mllp(oru(obx, crp(n=2))), "AE", place)
    assert "high" not in "|".join(answer["ERR"]) and not found(door, "Observation?code=1988-5")


def test_a_refused_message_waits_with_its_text_and_is_taken_when_it_can_be(mllp, door):
    refused(mllp(oru(crp())), "AE", "PID^1^3")
    [letter] = dead_letters()
    assert (letter.kind, letter.place, letter.times) == ("ORU^R01", "PID-3", 1)
    refused(mllp(oru(crp())), "AE", "PID^1^3")
    assert dead_letters()[0].times == 2
    mllp.taken(adt())
    mllp.taken(oru(crp()))
    assert not dead_letters() and Hl7Message.objects.get(control_id="o1").text == ""
    assert len(found(door, "Observation?code=1988-5")) == 1


def test_a_fault_of_ours_is_no_acknowledgement_and_nothing_is_kept_of_the_message(mllp, door, monkeypatch):
    def broken(*_):
        raise DatabaseError

    mllp.taken(adt())
    monkeypatch.setattr(receiving, "carry_out", broken)
    assert mllp(oru(crp()))["MSA"][1] == "AE"
    monkeypatch.undo()
    mllp.taken(oru(crp()))
    assert len(found(door, "Observation?code=1988-5")) == 1


def test_identifiers_of_two_patients_are_refused(mllp):
    mllp.taken(adt(mrn="1", visit="1", control="a1"))
    mllp.taken(adt(mrn="2", visit="2", control="a2"))
    both = PID.format(mrn="1^^^HOSP^MR~2")
    refused(mllp(message("ADT^A08", "EVN|A08|2026", both, control="a3")), "AE", "PID^1^3")


def test_a_visit_does_not_wander_to_another_patient(mllp):
    mllp.taken(adt(mrn="1", visit="1", control="a1"))
    refused(mllp(adt(mrn="2", visit="1", control="a2")), "AE", "PV1^1^19")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_garbage_is_answered_and_never_raises(mllp, data):
    """Whole messages with bytes cut out, doubled or changed, and plain noise."""
    raw = bytearray(data.draw(st.sampled_from([adt(), oru(crp()), message("ADT^A40", PID.format(mrn="1"), "MRG|2")])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        raw[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    answer = mllp(bytes(raw))
    assert answer["MSA"][1] in ("AA", "AE", "AR")
    if answer["MSA"][1] == "AE":
        assert "Something went wrong" not in answer["MSA"][3], bytes(raw)


def test_what_the_library_cannot_read_is_refused_and_quoted_in_no_log(mllp, caplog):
    """Separators cut out make letters separators: the library then finds escapes that mean nothing, and quotes them."""
    answer = mllp(adt().replace(b"|^~\\&|E", b""))
    assert answer["MSA"][1] in ("AE", "AR") and "Something went wrong" not in answer["MSA"][3]
    assert [record.name for record in caplog.records if "hl7/" in record.name] == []


def test_the_clock_of_a_record_is_the_servers(mllp):
    mllp.taken(adt())
    assert Hl7Message.objects.get().received_at == NOW
