"""`manage.py mllp`: take HL7 v2 messages over MLLP. `manage.py up` runs it where MLLP_PORT is set."""

import asyncio
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from integrations.hl7v2.receiving import receive
from integrations.hl7v2.server import Server, networks, tls_context
from recovery.selectors.pipes import is_paused
from recovery.signs import leave_sign

PAUSE_KNOWN_S = 2.0
SIGN_EVERY_S = 5.0


class Command(BaseCommand):
    help = "Take HL7 v2 messages (ADT, ORU) over MLLP from the peers that MLLP_PEERS names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.MLLP_HOST)
        parser.add_argument("--port", type=int, default=settings.MLLP_PORT)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if not port:
            raise CommandError("Set MLLP_PORT, or give --port.")
        try:
            allowed = networks(settings.MLLP_PEERS)
            tls = tls_context(settings.MLLP_TLS_CERT, settings.MLLP_TLS_KEY, settings.MLLP_TLS_CLIENT_CA)
        except (ValueError, OSError) as error:
            raise CommandError(f"MLLP_PEERS or MLLP_TLS_*: {error}") from error
        try:
            asyncio.run(self._serve(Server(Door(), allowed), host, port, tls))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}).") from error

    async def _serve(self, door: Server, host: str, port: int, tls: Any) -> None:
        over = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        server = await door.start(host, port, tls)
        self.stdout.write(f"HL7 v2 over MLLP{' with TLS' if tls else ''} on {host}:{port}")
        async with server:
            while not over.is_set():
                leave_sign("mllp")
                try:
                    await asyncio.wait_for(over.wait(), SIGN_EVERY_S)
                except TimeoutError:
                    continue


class Door:
    """Carries messages out, unless an administrator has paused the pipe: then the sender keeps them."""

    def __init__(self) -> None:
        self._looked, self._paused, self._lock = 0.0, False, threading.Lock()

    def __call__(self, raw: bytes, peer: str) -> bytes | None:
        close_old_connections()
        try:
            return None if self._is_paused() else receive(raw, peer=peer, now=timezone.now())
        finally:
            close_old_connections()

    def _is_paused(self) -> bool:
        with self._lock:
            if time.monotonic() - self._looked > PAUSE_KNOWN_S:
                self._paused, self._looked = is_paused("hl7v2"), time.monotonic()
            return self._paused
