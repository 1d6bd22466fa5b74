"""Pages of the care team beside the board, the patient and the alerts."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import readings

READING = "patients/<uuid:key>/readings/<slug:metric>/<str:reading>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("patients/<uuid:key>/readings/<slug:metric>/", readings.show_readings, name="readings"),
    path("patients/<uuid:key>/readings/<slug:metric>.csv", readings.export_readings, name="readings_csv"),
    path(READING, readings.show_reading, name="reading"),
    path(f"{READING}mark/", readings.mark, name="reading_mark"),
    path(f"{READING}unmark/", readings.unmark, name="reading_unmark"),
]
