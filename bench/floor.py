"""The bare floor: what a Django view costs that parses a Bundle and stores narrow rows under a unique key.

No validation, no permissions, no audit, no owed work, no templates: what is left is HTTP, JSON, one INSERT of arrays
with ON CONFLICT and the commit (performance.md section 1). The product is measured against it in the same run.

    python -m bench.floor            makes the table (DATABASE_URL)
    gunicorn bench.floor:application
"""

import os
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

_url = urlsplit(os.environ["DATABASE_URL"])
if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="floor",
        USE_TZ=True,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": _url.path[1:],
                "USER": _url.username,
                "HOST": _url.hostname,
                "PORT": _url.port,
                "CONN_MAX_AGE": 60,
            }
        },
    )
TABLE = """CREATE TABLE IF NOT EXISTS floor_sample (patient text NOT NULL, code text NOT NULL, at timestamptz NOT NULL,
           value double precision NOT NULL, PRIMARY KEY (patient, code, at, value))"""
INSERT = """INSERT INTO floor_sample SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::float8[])
            ON CONFLICT DO NOTHING"""
Row = tuple[str, str, datetime, float]


def _row(resource: dict[str, Any]) -> Row:
    return (
        resource["subject"]["reference"],
        resource["code"]["coding"][0]["code"],
        datetime.fromisoformat(resource["effectiveDateTime"]),
        float(resource["valueQuantity"]["value"]),
    )


def _rows_of_packet(resource: dict[str, Any]) -> list[Row]:
    sampled = resource["valueSampledData"]
    period = sampled["period"] / 1000
    start = datetime.fromisoformat(resource["effectivePeriod"]["start"]).timestamp()
    who, what = resource["subject"]["reference"], resource["code"]["coding"][0]["code"]
    return [
        (who, what, datetime.fromtimestamp(start + place * period).astimezone(), float(token))
        for place, token in enumerate(sampled["data"].split())
    ]


def _store(resources: list[dict[str, Any]]) -> None:
    rows: list[Row] = []
    for resource in resources:
        rows += _rows_of_packet(resource) if "valueSampledData" in resource else [_row(resource)]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [list(column) for column in zip(*rows, strict=True)])


def bundle(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse(b"floor")
    entries = orjson.loads(request.body)["entry"]
    _store([entry["resource"] for entry in entries])
    said = {"resourceType": "Bundle", "entry": [{"response": {"status": "201 Created"}}] * len(entries)}
    return HttpResponse(orjson.dumps(said), content_type="application/fhir+json")


def observation(request: HttpRequest) -> HttpResponse:
    resource = orjson.loads(request.body)
    _store([resource])
    return HttpResponse(orjson.dumps(resource), status=201, content_type="application/fhir+json")


urlpatterns = [path("", bundle), path("fhir/", bundle), path("fhir/Observation", observation)]
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.cursor() as _cursor:
        _cursor.execute(TABLE)
