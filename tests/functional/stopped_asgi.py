"""The web server's application with its clock stopped (`stopped`); every request has the same number."""

import sys

from tests.functional.stopped import stop

stop()

from twinweb.asgi import application  # noqa: E402

sys.modules["twinweb.middleware"].new_request_id = lambda: 12 * "0"  # read by the application by now

__all__ = ["application"]
