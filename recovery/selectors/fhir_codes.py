"""Which codes a patient's Observations have, on both shelves."""

from recovery.models import DocumentIndex, Series


def observation_codes(patient_fhir_id: str, limit: int) -> list[tuple[str, str]]:
    """(system, code) of everything observed in a patient, in alphabetical order."""
    series = Series.objects.filter(patient__fhir_id=patient_fhir_id, patient__deleted_at__isnull=True)
    streamed = series.exclude(shape=Series.Shape.PROJECTED).values_list("system", "code").distinct()
    indexed = DocumentIndex.objects.filter(
        document__patient__fhir_id=patient_fhir_id, type="Observation", param="code", kind="token"
    )
    return sorted({*streamed, *indexed.values_list("system", "value").distinct()})[:limit]
