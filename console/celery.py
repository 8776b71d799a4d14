"""The Celery application: how tasks travel, and how often the sweeps run."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
# Django's checks import every view, which no worker needs; `manage.py migrate` and the tests run them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add("console.heartbeat:WorkerHeartbeat")


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def keep_our_logging(**_kwargs: object) -> None:
    """Having a listener is enough: Celery then leaves the logging alone that console.logging has set up."""
