"""References: what a delivery points at must be here, or be brought by the delivery itself."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from recovery.exceptions import Invalid
from recovery.models import Document
from recovery.services import promotion
from recovery.services.intake import Delivery, Reference, Stands

IDS_A_QUERY = 400


def absent_from(delivery: Delivery, *, atomic: bool) -> set[Reference]:
    """What its documents refer to and is not here. All or nothing, what the delivery itself brings counts as here."""
    if delivery.stands is None:
        return set()
    wanted = {one for write in delivery.documents for one in write.references}
    if not wanted:
        return set()
    gone = {(write.type, write.fhir_id) for write in delivery.documents if write.method == "delete"}
    missing = absent(wanted, delivery.stands) | {one for one in wanted if one in gone}
    missing -= {("Observation", one.fhir_id or "") for one in delivery.readings}
    missing -= {("Observation", one.fhir_id or "") for one in delivery.packets}
    if atomic:
        missing -= {(write.type, write.fhir_id or "") for write in delivery.documents if write.method != "delete"}
    return missing


def absent(wanted: Iterable[Reference], stands: Stands) -> set[Reference]:
    """Those of `wanted` that name nothing here: no document, no streamed reading, and nothing that `stands` knows; and
    those that name what is beyond the sender, who is not to tell the two apart."""
    wanted = set(wanted)
    missing = set(wanted)
    by_type: dict[str, list[str]] = defaultdict(list)
    for type_name, fhir_id in sorted(missing):
        by_type[type_name].append(fhir_id)
    for type_name, ids in by_type.items():
        for start in range(0, len(ids), IDS_A_QUERY):
            rows = Document.objects.filter(type=type_name, fhir_id__in=ids[start : start + IDS_A_QUERY], deleted=False)
            missing -= {(type_name, fhir_id) for fhir_id in rows.values_list("fhir_id", flat=True)}
    gone = {one for one in missing if not promotion.stands(*one) and not stands.elsewhere(*one)}
    return gone if stands.is_beyond is None else gone | {one for one in wanted - gone if stands.is_beyond(*one)}


def refusal(references: Mapping[Reference, str], missing: Collection[Reference]) -> Invalid:
    """The refusal of an item that refers to something `missing`."""
    (type_name, fhir_id), path = next(item for item in references.items() if item[0] in missing)
    return Invalid(f"{type_name}/{fhir_id} is not known here: send it first, or correct the reference.", field=path)
