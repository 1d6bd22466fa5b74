"""What makes the portal installable: its manifest, and the service worker that keeps the shell and the last home."""

import json

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

SHELL = ("css/twin.css", "css/portal.css", "js/portal.js", "js/portal-outbox.js", "img/icon.svg")
MORE = ("js/portal-whole.js", "js/portal-photo.js")


@login_not_required
@require_GET
def manifest(request: HttpRequest) -> HttpResponse:
    said = {
        "name": _("My recovery"),
        "short_name": _("My recovery"),
        "start_url": "/me/",
        "scope": "/me/",
        "display": "standalone",
        "background_color": "#f3f5f7",
        "theme_color": "#0b3c5d",
        "icons": [{"src": static("img/portal-icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }
    return HttpResponse(json.dumps(said), content_type="application/manifest+json")


@login_not_required
@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The worker with the addresses of this release's shell: a new release is a new worker."""
    shell, more = (json.dumps(_addresses(names)) for names in (SHELL, MORE))
    text = f"const SHELL = {shell}\nconst MORE = {more}\n{_text('js/portal-worker.js')}"
    response = HttpResponse(text, content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


def _addresses(names: tuple[str, ...]) -> list[str]:
    """Each under its name of this release and under its plain one, by which modules import each other."""
    return sorted({static(one) for one in names} | {f"{settings.STATIC_URL}{one}" for one in names})


def _text(name: str) -> str:
    """A static file's text, wherever static files are kept."""
    found = finders.find(name)
    if isinstance(found, str):
        with open(found, encoding="utf-8") as file:
            return file.read()
    with staticfiles_storage.open(name) as file:
        return bytes(file.read()).decode()
