"""Who may see the pages about many patients at once: (own team, other team, the patient, administrator, anonymous)."""

GET = {
    "cohort": (200, 200, 404, 404, "in"),
    "cohort_csv": (200, 200, 404, 404, "in"),
    "quality": (200, 200, 404, 404, "in"),
}
