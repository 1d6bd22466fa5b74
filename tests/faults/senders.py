"""A live feed that writes down what the server has acknowledged."""

import json
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from integrations.simulator import feed
from integrations.simulator.accounts import TOKEN_FILE
from integrations.simulator.client import Client
from integrations.simulator.feed import Progress, cadence
from integrations.simulator.live import Loop
from integrations.simulator.ward import remembered
from tests.faults.stack import Stack

Reading = tuple[str, str, int, float]  # patient, code, ms, value


class RecordingClient(Client):
    """Writes down the readings of each body once the server has it."""

    acknowledged: list[Reading]

    def post(self, body: bytes) -> bool:
        done = super().post(body)
        if done:
            self.acknowledged += [reading_of(entry["resource"]) for entry in json.loads(body)["entry"]]
        return done


def reading_of(observation: dict) -> Reading:
    at = observation.get("effectiveDateTime") or observation["effectivePeriod"]["start"]
    patient = observation["subject"]["reference"].removeprefix("Patient/")
    ms = round(datetime.fromisoformat(at).timestamp() * 1000)
    return patient, observation["code"]["coding"][0]["code"], ms, float(observation["valueQuantity"]["value"])


class Feed:
    """The demo ward's devices at `rate` readings a second, from now on, in a thread; a context manager."""

    def __init__(self, stack: Stack, rate: float) -> None:
        ward = remembered(stack.data)
        assert ward is not None
        self._stop = threading.Event()
        token = (stack.data / TOKEN_FILE).read_text().strip()
        self.client = RecordingClient(stack.base_url, lambda: token, self._stop.wait)
        self.client.acknowledged = []
        feed.keep_progress(stack.data, ward, Progress(timezone.now().replace(microsecond=0)))
        loop = Loop(
            ward=ward,
            members=ward.members,
            directory=stack.data,
            client=self.client,
            every=cadence(ward.members, rate),
            clock=timezone.now,
            wait=self._stop.wait,
            tell=lambda line: None,
        )
        self._thread = threading.Thread(target=loop.run)

    @property
    def acknowledged(self) -> Sequence[Reading]:
        return self.client.acknowledged

    def __enter__(self) -> "Feed":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(timeout=60)

    def written_to(self, path: Path) -> str:
        path.write_text("".join(json.dumps(one) + "\n" for one in self.acknowledged))
        return str(path)
