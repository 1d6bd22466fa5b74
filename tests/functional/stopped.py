"""The product with its clock stopped, for pictures that are compared by pixel.

`python -m tests.functional.stopped` fills the ward in TWINWEB_DATA as it is at NOW and prints its pages;
`stopped_asgi` serves it. Everything of the product that asks the time calls `timezone.now`, and `stop` comes before
anything of the product is read. Seeds are those of the ward's stories.
"""

import json
import os
from datetime import UTC, datetime

NOW = datetime(2026, 3, 12, 9, 40, tzinfo=UTC)


def stop() -> None:
    from django.utils import timezone

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
    timezone.now = lambda: NOW


if __name__ == "__main__":
    stop()
    from tests.functional import places, ward

    ward.fill()
    print(json.dumps(places.find()))
