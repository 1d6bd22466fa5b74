"""Publishing that never makes a request wait for a dead broker.

A message is only a doorbell: the sweep rings again for whatever was missed. So after one failed publish the bell
rests for a moment and refuses at once, instead of letting each request wait for its own time-out.
"""

import time
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

REST = 5.0  # s without another try after a failed publish


class DoorbellCelery(Celery):
    """A Celery application whose `send_task` fails fast while the broker is known to be away."""

    _rests_until = 0.0

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        """Publish, or raise kombu's OperationalError: at once while resting, else within the socket time-outs."""
        if time.monotonic() < self._rests_until:
            raise OperationalError("The broker did not answer a moment ago; the sweep will ring again.")
        try:
            return super().send_task(*args, **kwargs)
        except (OperationalError, OSError):
            self._rests_until = time.monotonic() + REST
            raise
