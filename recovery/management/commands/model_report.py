"""`manage.py model_report`: judge the served models on this unit's own patients now; the nightly job does the same."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from recovery.audit import Actor
from recovery.services import model_report


class Command(BaseCommand):
    help = "Compute calibration, discrimination, drift, subgroups and alert burden; print them as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        report = model_report.make_report(actor=Actor.system("model_report"), now=timezone.now())
        self.stdout.write(json.dumps({"models": report.model_version, **report.content}, indent=1))
