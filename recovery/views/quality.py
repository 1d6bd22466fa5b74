"""How complete the readings of this person's patients are."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from recovery.forms_cohort import CompletenessForm
from recovery.presenters.agreement import device_view
from recovery.presenters.completeness import completeness_view, metric_choices
from recovery.selectors.agreement import device_quality
from recovery.selectors.completeness import completeness
from recovery.views import door


@require_GET
def show_quality(request: HttpRequest) -> HttpResponse:
    door.check_is_staff(request)
    now, form = door.clock(), CompletenessForm(request.GET)
    found = completeness(door.person(request), now, door.zone(), form.measure, form.number)
    keys = [str(row.key) for row in found.rows]
    door.note(request, now, "view_quality", detail={"metric": found.metric, "episodes": keys, "page": found.page})
    devices = device_quality([row.key for row in found.rows], found.metric, found.days[0], now)
    context = {
        "found": found,
        "devices": device_view(devices, found.metric),
        "view": completeness_view(found, now, door.zone()),
        "metrics": metric_choices(),
        "previous_page": found.page - 1,
        "next_page": found.page + 1,
    }
    return render(request, "pages/quality.html", context)
