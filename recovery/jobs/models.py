"""Celery tasks about models: training, shadows, the nightly report. All in the last queue: serving never waits."""

from celery import shared_task
from django.utils import timezone

from recovery.audit import Actor
from recovery.services import model_report, shadow, training


@shared_task(name="recovery.train_models")
def train_models() -> int:
    """Go on with the oldest open training for a while; returns how many steps were made."""
    return training.train_owed(clock=timezone.now)


@shared_task(name="recovery.train_shadows")
def run_shadows() -> int:
    """Let versions in shadow speak about current snapshots."""
    return shadow.run_shadows(clock=timezone.now)


@shared_task(name="recovery.train_report")
def report_on_models() -> int:
    """Judge the served models on the unit's own patients."""
    shadow.forget_old(now=timezone.now())
    return model_report.make_report(actor=Actor.system("model report"), now=timezone.now()).pk
