"""The web server's application with its clock stopped (`stopped`); every request has the same number."""

from tests.functional.stopped import stop

stop()

from twinweb import middleware  # noqa: E402
from twinweb.asgi import application  # noqa: E402

middleware.new_request_id = lambda: 12 * "0"

__all__ = ["application"]
