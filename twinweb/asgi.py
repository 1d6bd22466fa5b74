"""The ASGI application: pages, REST, FHIR and the event stream in one process (embedded), or the stream alone."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
application = get_asgi_application()
