"""Series of measures that the twin has come to follow are read by it from now on, and new readings go on into them.

The rows keep their ids, so ids of readings and retries stay as they were. The hash of a series holds how it is read
(`services.mapped_series`): it is written anew here, frozen in the form that it had at this migration. A series that a
person has mapped is left as it is. Twins of the published model are rebuilt at their next look, as its version changed.
"""

import hashlib

from django.db import migrations

LOINC, IMPLANT = "http://loinc.org", "urn:twinweb:implant-metric"
METRICS = {
    (LOINC, "1988-5"): "crp",
    (LOINC, "30522-7"): "crp",
    (LOINC, "6690-2"): "leukocytes",
    (LOINC, "26464-8"): "leukocytes",
    (LOINC, "804-5"): "leukocytes",
    (LOINC, "2160-0"): "creatinine",
    (LOINC, "14682-9"): "creatinine",
    (LOINC, "718-7"): "haemoglobin",
    (LOINC, "59260-0"): "haemoglobin",
    (LOINC, "93832-4"): "sleep",
    (IMPLANT, "contact-force"): "contact_force",
    (IMPLANT, "implant-temperature"): "implant_temperature",
    (IMPLANT, "relative-implant-load"): "relative_implant_load",
}
# metric -> unit as sent -> (scale, shift), as the door converts them; other units stay unread.
UNITS = {
    "crp": {"mg/L": (1.0, 0.0), "ug/mL": (1.0, 0.0), "mg/dL": (10.0, 0.0)},
    "leukocytes": {"10*3/uL": (1.0, 0.0), "10*9/L": (1.0, 0.0), "/uL": (0.001, 0.0), "/mm3": (0.001, 0.0)},
    "creatinine": {
        "mg/dL": (1.0, 0.0),
        "mg/L": (0.1, 0.0),
        "umol/L": (0.011309658448314861, 0.0),
        "mmol/L": (11.309658448314861, 0.0),
    },
    "haemoglobin": {"g/dL": (1.0, 0.0), "g/L": (0.1, 0.0), "mmol/L": (1.6114, 0.0)},
    "sleep": {
        "h": (1.0, 0.0),
        "min": (0.016666666666666666, 0.0),
        "s": (0.0002777777777777778, 0.0),
    },
    "contact_force": {"%{BW}": (1.0, 0.0), "%": (1.0, 0.0)},
    "implant_temperature": {"Cel": (1.0, 0.0), "[degF]": (0.5555555555555556, -17.77777777777778)},
    "relative_implant_load": {"%": (1.0, 0.0)},
}


def mark(row, metric, scale, shift):
    said = (row.shape, metric, repr(scale), repr(shift), str(row.span_ms), row.source, row.template)
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()


def read(apps, schema_editor):
    series, unmapped = (apps.get_model("recovery", name) for name in ("Series", "UnmappedCode"))
    for (system, code), metric in METRICS.items():
        for row in series.objects.filter(system=system, code=code, metric="").iterator():
            if row.unit in UNITS[metric] and row.template_hash == mark(row, "", 1.0, 0.0):
                _set(series, row, metric, *UNITS[metric][row.unit])
        unmapped.objects.filter(system=system, code=code, unit__in=list(UNITS[metric])).delete()


def _set(series, row, metric, scale, shift):
    wanted = mark(row, metric, scale, shift)
    if not series.objects.filter(patient_id=row.patient_id, template_hash=wanted).exists():
        series.objects.filter(pk=row.pk).update(metric=metric, scale=scale, shift=shift, template_hash=wanted)


def unread(apps, schema_editor):
    series = apps.get_model("recovery", "Series")
    for (system, code), metric in METRICS.items():
        for row in series.objects.filter(system=system, code=code, metric=metric).iterator():
            series.objects.filter(pk=row.pk).update(
                metric="", scale=1.0, shift=0.0, template_hash=mark(row, "", 1.0, 0.0)
            )


class Migration(migrations.Migration):
    dependencies = [("recovery", "0009_entries_of_a_document")]
    operations = [migrations.RunPython(read, unread)]
