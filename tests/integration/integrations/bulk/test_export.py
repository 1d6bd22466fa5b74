"""$export: what it tells is what a search finds, as of one moment, whoever is killed in between."""

import zlib
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.bulk import walking, writing
from recovery.models import AuditEvent, Batch, Connection, Export, Sample
from recovery.models.reading_mark import MARK_CHANNEL
from recovery.services import exports
from tests.integration.integrations.bulk.conftest import Later, exported, fetched, kick_off, manifest, work
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.integration.integrations.fhir.searching import fill, put, ward
from tests.unit.integrations.fhir.observations import heart_rate


@pytest.fixture
def full(door):
    return fill(door)


def ids(found):
    return {name: sorted(one["id"] for one in rows) for name, rows in found.items()}


def searched(door, type_name):
    """All of a type, as the pages of a search tell them."""
    found, path = [], f"{type_name}?_count=1000"
    page = content(door.get(path))
    found += [one["resource"] for one in page.get("entry", ()) if one["search"]["mode"] == "match"]
    return found


def test_a_kick_off_answers_with_the_address_of_the_status(full):
    response = full.get("$export", Prefer="respond-async")
    assert response.status_code == 202 and "/fhir/bulk/status/" in response["Content-Location"]
    status = response["Content-Location"].partition("/fhir/")[2]
    waiting = full.get(status)
    assert waiting.status_code == 202 and waiting["Retry-After"] == "2" and "0 %" in waiting["X-Progress"]


def test_an_export_tells_every_resource_as_a_search_does(full):
    found = exported(full)
    kinds = {one["resourceType"] for one in ward()} | {"RiskAssessment"}
    for name in kinds - {"Provenance"}:
        told = {one["id"]: one for one in found.get(name, ())}
        assert told == {one["id"]: one for one in searched(full, name)}, name
    assert {"origin"} <= {one["id"] for one in found["Provenance"]}
    assert not found.keys() & {"AuditEvent", "StructureDefinition"}


def test_the_manifest_says_when_what_was_asked_and_that_a_token_is_needed(full):
    status = kick_off(full, "$export?_type=Patient")
    work()
    response = full.get(status)
    said = content(response)
    assert said["request"].endswith("/fhir/$export?_type=Patient") and said["requiresAccessToken"] is True
    assert [one["type"] for one in said["output"]] == ["Patient"] and said["output"][0]["count"] == 2
    assert said["error"] == said["outcome"] == said["deleted"] == []
    assert said["transactionTime"].endswith("Z") and response["Expires"]


def test_a_file_is_told_packed_or_plain_as_the_caller_takes_it(full):
    status = kick_off(full, "$export?_type=Patient")
    work()
    path = manifest(full, status)["output"][0]["url"].partition("/fhir/")[2]
    plain = full.get(path, Accept="application/fhir+ndjson")
    packed = full.get(path, Accept_Encoding="gzip, deflate")
    assert plain["Content-Type"] == "application/fhir+ndjson" and plain["Cache-Control"] == "no-store"
    text = b"".join(plain.streaming_content)
    # One member: clients that unpack only the first one lose nothing.
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert unpacker.decompress(b"".join(packed.streaming_content)) == text and unpacker.eof and not unpacker.unused_data
    assert packed["Content-Encoding"] == "gzip" and len(text.splitlines()) == 2


def test_parameters_of_a_post_are_those_of_a_get(full):
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueString": "Patient,Condition"},
            {"name": "_outputFormat", "valueString": "application/fhir+ndjson"},
            {"name": "patient", "valueReference": {"reference": "Patient/ann"}},
        ],
    }
    response = full.post("Patient/$export", body, Prefer="respond-async")
    assert response.status_code == 202, response.content
    work()
    found = fetched(full, manifest(full, response["Content-Location"].partition("/fhir/")[2]))
    assert ids(found) == {"Patient": ["ann"], "Condition": ["pain"]}


def test_a_group_export_tells_its_members_and_the_directory_they_refer_to(full):
    found = exported(full, "Group/cohort/$export")
    assert ids(found)["Patient"] == ["ann"] and ids(found)["Encounter"] == ["stay"]
    assert {"hr1", "hr2", "t1", "ecg", "bp1", "steps"} <= set(ids(found)["Observation"])
    assert not {"hr3", "t3"} & set(ids(found)["Observation"])
    assert "origin" in ids(found)["Provenance"], "of an Observation document of a member"
    assert ids(found)["Practitioner"] == ["doc"] and "Questionnaire" not in found
    assert AuditEvent.objects.filter(action="export").values_list("patient__fhir_id", flat=True).get() == "ann"


def test_members_who_left_or_are_inactive_are_not_told(full):
    gone = {"entity": {"reference": "Patient/ann"}, "period": {"end": "2026-01-01"}}
    off = {"entity": {"reference": "Patient/ann"}, "inactive": True}
    nested = {"entity": {"reference": "Group/inner"}}
    inner = {"resourceType": "Group", "id": "inner", "type": "person", "actual": True}
    put(full, inner | {"member": [{"entity": {"reference": "Patient/bob"}}]})
    put(full, inner | {"id": "outer", "member": [gone, off, nested, {"entity": {"reference": "Group/outer"}}]})
    assert ids(exported(full, "Group/outer/$export?_type=Patient,Encounter")) == {
        "Patient": ["bob"],
        "Encounter": ["open"],
    }


def test_a_patient_export_leaves_out_what_is_about_nobody(full):
    found = exported(full, "Patient/$export")
    assert "Questionnaire" not in found and "Group" not in found
    assert ids(found)["Patient"] == ["ann", "bob"] and "origin" in ids(found)["Provenance"]


def test_what_changed_since_is_told_with_what_was_deleted(full):
    status = kick_off(full)
    work()
    moment = manifest(full, status)["transactionTime"]
    put(
        full,
        heart_rate(
            id="new", device=None, effectiveDateTime="2026-02-01T00:00:00Z", subject={"reference": "Patient/ann"}
        ),
    )
    put(full, {"resourceType": "Questionnaire", "id": "form", "status": "retired"})
    assert full.delete("Condition/pain").status_code in (200, 204)
    status = kick_off(full, f"$export?_since={moment}&_type=Observation,Questionnaire,Condition,Patient")
    work()
    said = manifest(full, status)
    assert ids(fetched(full, said)) == {"Observation": ["new"], "Questionnaire": ["form"]}
    [bundle] = fetched(full, said, "deleted")["Bundle"]
    assert bundle["type"] == "transaction"
    assert bundle["entry"] == [{"request": {"method": "DELETE", "url": "Condition/pain"}}]


def test_an_export_tells_what_stood_at_its_moment_whatever_changed_before_it_was_written(full):
    before = {name: {one["id"]: one for one in searched(full, name)} for name in ("Observation", "Questionnaire")}
    status = kick_off(full, "$export?_type=Observation,Questionnaire")
    put(full, {"resourceType": "Questionnaire", "id": "form", "status": "retired"})
    put(
        full,
        heart_rate(
            id="late", device=None, effectiveDateTime="2026-02-01T00:00:00Z", subject={"reference": "Patient/ann"}
        ),
    )
    assert full.delete("Observation/hr1").status_code in (200, 204)
    changed = heart_rate(
        id="t1", device=None, effectiveDateTime="2026-01-05T09:00:00Z", subject={"reference": "Patient/ann"}
    )
    put(full, changed)
    work()
    found = fetched(full, manifest(full, status))
    for name, rows in before.items():
        assert {one["id"]: one for one in found[name]} == rows, name


def test_a_type_filter_leaves_what_its_searches_find(full):
    path = "$export?_type=Observation,Patient&_typeFilter=Observation%3Fcode%3D8310-5"
    found = exported(full, f"{path}&_typeFilter=Observation%3Fcode%3D85354-9%26value-quantity%3Dgt1000")
    assert ids(found) == {"Observation": ["t1", "t2", "t3"], "Patient": ["ann", "bob"]}


@pytest.mark.parametrize(
    "query",
    [
        "_type=Nonsense",
        "_since=yesterday",
        "_outputFormat=text/csv",
        "_elements=id",
        "_typeFilter=Observation",
        "_typeFilter=Observation%3Fno-such%3D1",
        "_type=Patient&_typeFilter=Observation%3Fcode%3D1",
        "_typeFilter=Observation%3Fsubject.name%3Dx",
        "patient=Group/x",
        "whatever=1",
    ],
)
def test_what_cannot_be_honoured_is_refused_with_a_reason(full, query):
    response = full.get(f"$export?{query}", Prefer="respond-async")
    assert response.status_code == 400, response.content
    assert content(response)["resourceType"] == "OperationOutcome"


def test_a_lenient_caller_gets_what_can_be_honoured(full):
    response = full.get("$export?_elements=id&_type=Patient,Nonsense", Prefer="respond-async, handling=lenient")
    assert response.status_code == 202


# ---- kills, slices, many files ---


def test_slices_and_small_files_tell_each_reading_once(full, monkeypatch):
    monkeypatch.setattr(writing, "LINES_A_FILE", 3)
    monkeypatch.setattr(writing, "CHECKPOINT_S", 0.0)
    monkeypatch.setattr(walking, "READINGS_A_PAGE", 10)
    monkeypatch.setattr(walking, "DOCUMENTS_A_PAGE", 2)
    wanted = ids(exported(full, "$export?_type=Observation"))
    status = kick_off(full, "$export?_type=Observation,Patient")
    slices = 0
    while full.get(status).status_code == 202 and slices < 100:
        work(slice_s=0.0)
        slices += 1
    said = manifest(full, status)
    names = [one["url"].rpartition("/")[2] for one in said["output"] if one["type"] == "Observation"]
    assert slices > 5 and names[:2] == ["Observation.000.ndjson", "Observation.001.ndjson"]
    assert ids(fetched(full, said))["Observation"] == wanted["Observation"]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
def test_a_killed_worker_costs_nothing_but_time(full, monkeypatch, after):
    """Killed after so many pages, mid-file; the next one goes on at the last checkpoint."""
    monkeypatch.setattr(writing, "CHECKPOINT_S", 0.0)
    monkeypatch.setattr(walking, "READINGS_A_PAGE", 10)
    wanted = ids(exported(full, "$export?_type=Observation,Patient"))
    status = kick_off(full, "$export?_type=Observation,Patient")
    pages, page_of = [0], walking.Walk.page

    def dying(self, step, place):
        pages[0] += 1
        if pages[0] == after:
            found = page_of(self, step, place)
            raise Killed(found)
        return page_of(self, step, place)

    monkeypatch.setattr(walking.Walk, "page", dying)
    with pytest.raises(Killed):
        work()
    assert full.get(status).status_code == 202
    assert work() == 0, "its claim still holds"
    Export.objects.filter(status="running").update(claimed_until=timezone.now())
    work()
    assert ids(fetched(full, manifest(full, status))) == wanted


def test_an_export_that_kills_every_worker_fails_and_says_so(full):
    status = kick_off(full)
    for _ in range(exports.MOST_IN_VAIN):
        assert exports.take_up(now=Later()()) is not None
        Export.objects.update(claimed_until=timezone.now())
    assert exports.take_up(now=Later()()) is None
    response = full.get(status)
    assert response.status_code == 500 and "killed" in content(response)["issue"][0]["diagnostics"]


def test_a_worker_whose_claim_ran_out_can_store_nothing_more(full):
    kick_off(full)
    first = exports.take_up(now=timezone.now())
    second = exports.take_up(now=timezone.now() + exports.CLAIM_FOR)
    assert first.key == second.key
    assert not exports.checkpoint(taken=first, progress=1, words="", written=0, now=timezone.now())
    assert not exports.finish(taken=first, now=timezone.now())
    assert exports.checkpoint(taken=second, progress=1, words="", written=0, now=timezone.now())


# ---- cancelling, expiry, limits ---


def test_a_cancelled_export_is_gone_with_its_files(full, files, django_capture_on_commit_callbacks):
    status = kick_off(full)
    work()
    path = manifest(full, status)["output"][0]["url"].partition("/fhir/")[2]
    with django_capture_on_commit_callbacks(execute=True):
        assert full.delete(status).status_code == 202
    assert full.get(status).status_code == full.get(path).status_code == full.delete(status).status_code == 404
    assert not list(files.iterdir())


def test_an_export_cancelled_while_it_is_written_stops_and_leaves_nothing(full, files, monkeypatch):
    monkeypatch.setattr(writing, "CHECKPOINT_S", 0.0)
    status = kick_off(full)
    page_of = walking.Walk.page

    def cancelling(self, step, place):
        full.delete(status)
        return page_of(self, step, place)

    monkeypatch.setattr(walking.Walk, "page", cancelling)
    work()
    assert full.get(status).status_code == 404 and Export.objects.get().status == "cancelled"
    assert not list(files.iterdir())


def test_files_go_when_their_time_is_over(full, files):
    status = kick_off(full)
    work()
    assert exports.clear_expired(now=timezone.now()) == 0
    assert exports.clear_expired(now=timezone.now() + timedelta(hours=25)) == 1
    assert full.get(status).status_code == 404 and not list(files.iterdir())
    assert exports.clear_expired(now=timezone.now() + timedelta(days=9)) == 0 and not Export.objects.exists()


def test_a_system_has_only_so_many_exports_under_way(full):
    for _ in range(exports.MOST_OPEN):
        kick_off(full)
    response = full.get("$export", Prefer="respond-async")
    assert response.status_code == 429 and int(response["Retry-After"]) > 0
    work()
    kick_off(full)


def test_a_full_disk_is_said_at_once(full, monkeypatch):
    monkeypatch.setattr(exports.export_files, "free_bytes", lambda: 1)
    assert full.get("$export", Prefer="respond-async").status_code == 409


def test_files_are_for_nobody_else_on_the_machine(full, files):
    kick_off(full)
    work()
    for path in files.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


# ---- whose data ---


def test_nobody_unknown_starts_or_reads_an_export(full):
    status = kick_off(full)
    work()
    path = manifest(full, status)["output"][0]["url"].partition("/fhir/")[2]
    stranger = Door("no-such-token")
    for one in ("$export", "Patient/$export", "Group/cohort/$export", status, path):
        assert stranger.get(one).status_code == 401, one
    assert stranger.delete(status).status_code == 401


def test_another_system_finds_neither_status_nor_files(full):
    status = kick_off(full)
    work()
    path = manifest(full, status)["output"][0]["url"].partition("/fhir/")[2]
    other = Door(token_for("system/*.cruds", "other system"))
    assert other.get(status).status_code == other.get(path).status_code == other.delete(status).status_code == 404


@pytest.mark.parametrize("scopes", ["patient/*.rs", "user/*.rs", "system/*.s", "system/*.r", "system/*.c"])
def test_an_export_needs_a_systems_right_to_read_and_to_search(full, scopes):
    other = Door(token_for(scopes, "other system"))
    assert other.get("$export", Prefer="respond-async").status_code == 403
    assert AuditEvent.objects.filter(action="export", outcome="denied").exists()


def test_an_export_holds_only_the_types_of_the_scopes(full):
    other = Door(token_for("system/Patient.rs system/Condition.read", "other system"))
    assert set(exported(other)) == {"Patient", "Condition"}
    assert other.get("$export?_type=Patient,Observation", Prefer="respond-async").status_code == 403
    assert other.get("Group/cohort/$export", Prefer="respond-async").status_code == 403


def test_a_constrained_scope_lets_through_only_what_satisfies_it(full):
    words = "system/Observation.rs?code=http://loinc.org|8310-5 system/Patient.rs"
    found = exported(Door(token_for(words, "other system")))
    assert ids(found) == {"Observation": ["t1", "t2", "t3"], "Patient": ["ann", "bob"]}


def test_scopes_are_asked_again_when_a_file_is_fetched(full):
    status = kick_off(full, "$export?_type=Patient,Condition")
    work()
    paths = {one["type"]: one["url"].partition("/fhir/")[2] for one in manifest(full, status)["output"]}
    Connection.objects.update(scopes="system/Condition.rs")
    assert full.get(paths["Patient"]).status_code == 403
    assert fetched(full, {"output": [one for one in manifest(full, status)["output"] if one["type"] == "Condition"]})
    Connection.objects.update(revoked_at=timezone.now())
    assert full.get(paths["Condition"]).status_code == 401


@pytest.mark.parametrize("name", ["..%2f..%2fsecret", "Patient.000.ndjson.gz", "Patient.999.ndjson", "x"])
def test_only_files_of_the_manifest_are_served(full, name):
    status = kick_off(full, "$export?_type=Patient")
    work()
    assert full.get(f"{status.replace('status', 'files')}/{name}").status_code == 404


def test_asking_writing_fetching_and_cancelling_are_noted(full):
    status = kick_off(full, "$export?_type=Patient")
    work()
    fetched(full, manifest(full, status))
    full.delete(status)
    noted = set(AuditEvent.objects.filter(entity__startswith="Export/").values_list("action", flat=True))
    assert noted == {"export_asked", "export", "export_file", "export_cancelled"}
    told = AuditEvent.objects.filter(action="export").values_list("patient__fhir_id", flat=True)
    assert sorted(told) == ["ann", "bob"]


def test_the_capability_statement_claims_it(full):
    rest = content(full.get("metadata"))["rest"][0]
    assert [one["name"] for one in rest["operation"]] == ["export"]
    by_type = {one["type"]: [op["name"] for op in one["operation"]] for one in rest["resource"]}
    assert "export" in by_type["Patient"] and "export" in by_type["Group"] and "export" not in by_type["Condition"]
    assert full.get("Group?member=Patient/ann").status_code == 200


def test_the_audit_trail_comes_only_when_named_and_only_of_the_patients_asked_for(full):
    assert full.get("Patient/bob").status_code == 200
    rows = exported(full, "Group/cohort/$export?_type=AuditEvent")["AuditEvent"]
    assert rows and not any("Patient/bob" in str(row) for row in rows)
    everything = exported(full, "$export?_type=AuditEvent")["AuditEvent"]
    assert any("Patient/bob" in str(row) for row in everything) and len(everything) > len(rows)
    of_patients = exported(full, "Patient/$export?_type=AuditEvent")["AuditEvent"]
    assert all("Patient/" in str(row) for row in of_patients)


def test_a_marked_reading_is_told_as_entered_in_error_and_as_it_was_before(full):
    """Marks of the care team (services.marking) end a reading by a batch of their own channel."""
    batch = Batch.objects.create(channel=MARK_CHANNEL, received_at=timezone.now())
    status = kick_off(full, "$export?_type=Observation")
    Sample.objects.filter(fhir_id="hr1").update(ended_batch=batch)
    Batch.objects.filter(pk=batch.pk).update(received_at=timezone.now() + timedelta(seconds=1))
    work()
    before = {one["id"]: one for one in fetched(full, manifest(full, status))["Observation"]}
    assert before["hr1"]["status"] == "final"
    Batch.objects.filter(pk=batch.pk).update(received_at=timezone.now())
    after = {one["id"]: one for one in exported(full, "$export?_type=Observation")["Observation"]}
    assert after["hr1"]["status"] == "entered-in-error" and after["hr2"]["status"] == "final"
