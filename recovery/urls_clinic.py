"""Pages of the care team beside the board, the patient and the alerts."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import board, compare, desk, handover, handover_notes, patient, readings, record_notes

READING = "patients/<uuid:key>/readings/<slug:metric>/<str:reading>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("patients.csv", board.export_board, name="board_csv"),
    path("patients/settings/", board.set_board, name="board_settings"),
    path("patients/views/", board.save_view, name="view_save"),
    path("patients/views/<uuid:key>/delete/", board.delete_view, name="view_delete"),
    path("patients/<uuid:key>/summary.pdf", patient.summary_as_pdf, name="patient_summary"),
    path("patients/<uuid:key>/compare/", compare.show_compare, name="compare"),
    path("patients/<uuid:key>/send/", record_notes.send, name="record_send"),
    path("patients/<uuid:key>/seen/", patient.note_seen, name="patient_seen"),
    path("search/", desk.search, name="search"),
    path("theme/", desk.set_theme, name="theme"),
    path("tour/", desk.show_tour, name="tour"),
    path("tour/practice/", desk.practise, name="tour_practise"),
    path("tour/end/", desk.end_tour, name="tour_end"),
    path("hand-over/", handover.show_handover, name="handover"),
    path("hand-over/shift.pdf", handover.handover_as_pdf, name="handover_pdf"),
    path("hand-over/record/", handover_notes.file, name="handover_file"),
    path("patients/alerts/", board.bulk, name="bulk"),
    path("patients/write/", board.write_to_many, name="bulk_write"),
    path("patients/alerts/act/", board.act_on_many, name="bulk_act"),
    path("patients/<uuid:key>/readings/<slug:metric>/", readings.show_readings, name="readings"),
    path("patients/<uuid:key>/readings/<slug:metric>.csv", readings.export_readings, name="readings_csv"),
    path(READING, readings.show_reading, name="reading"),
    path(f"{READING}mark/", readings.mark, name="reading_mark"),
    path(f"{READING}unmark/", readings.unmark, name="reading_unmark"),
]
