"""The WSGI application: pages, REST and FHIR in production (three to five times quicker than ASGI there)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinweb.settings")
application = get_wsgi_application()
