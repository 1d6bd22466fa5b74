"""gunicorn's settings, embedded and in production; read from HOST, PORT, WEB_CONCURRENCY and WEB_CLASS."""

import gc
import os
from importlib import import_module

from gunicorn.glogging import Logger
from gunicorn.http import message

from twinweb.orphans import die_with_parent


class QuietLogger(Logger):
    """Nothing is said of each request: paths hold identifiers. gunicorn would word the line before dropping it."""

    def access(self, *_: object, **__: object) -> None:
        return None


_host = os.environ.get("HOST", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{os.environ.get('PORT', '8000')}"
_class = os.environ.get("WEB_CLASS", "asgi")
worker_class = "twinweb.gunicorn_worker.Worker" if _class == "asgi" else _class
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
if _class == "gthread":
    threads = int(os.environ.get("WEB_THREADS", "4"))
preload_app = True  # imported once, shared by the workers, and a wrong setting ends the start with its sentence
graceful_timeout = 20
timeout = 60
keepalive = 5
asgi_lifespan = "off"  # Django has none
control_socket_disable = True  # it would be one shared path in the home directory of the account
# Long addresses are answered by the application, in the words of its doors. gunicorn's threads know a lower ceiling.
limit_request_line = message.MAX_REQUEST_LINE = 65_536
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
server_software = "twinweb"
logger_class = QuietLogger
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "twinweb.logs.JsonFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {
        "gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "level": "WARNING", "propagate": False},
    },
}


def when_ready(server):  # type: ignore[no-untyped-def]
    """Every page's code and the shipped models are read once, before workers are made, and the collector never walks
    them again: a walk over all of that took 0.3 s of whichever request it fell on."""
    import_module("twinweb.urls")
    import_module("recovery.services.served_models").read_shipped()
    gc.collect()
    gc.freeze()


def post_fork(server, worker):  # type: ignore[no-untyped-def]
    """A worker looks for its master once a second; without this it would keep the port for that long."""
    die_with_parent(server.pid)
