"""Pages about many patients at once: outcomes, and how complete the data are."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import cohort, quality

urlpatterns: list[URLPattern | URLResolver] = [
    path("outcomes/", cohort.show_cohort, name="cohort"),
    path("outcomes.csv", cohort.export_cohort, name="cohort_csv"),
    path("quality/", quality.show_quality, name="quality"),
]
