"""The web server's application with its clock stopped (`stopped`)."""

from tests.functional.stopped import stop

stop()

from twinweb.asgi import application  # noqa: E402

__all__ = ["application"]
