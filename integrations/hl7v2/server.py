"""The MLLP server: allowed peers only, one message at a time on each connection; garbage ends only itself."""

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hl7.exceptions import MalformedSegmentException
from hl7.mllp import HL7StreamReader, HL7StreamWriter, InvalidBlockError, start_hl7_server

logger = logging.getLogger(__name__)

START, END = b"\x0b", b"\x1c\r"
LARGEST = 8 * 1024 * 1024
IDLE_S = 3600.0
MOST_CONNECTIONS = 64
AT_ONCE = 4  # messages carried out at the same time
# (bytes, peer) -> acknowledgement; None: not now, the sender is to keep it
Receive = Callable[[bytes, str], bytes | None]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(said: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError for what is no address or network."""
    return tuple(ipaddress.ip_network(one, strict=False) for one in said)


@dataclass
class Server:
    """`allowed`: networks that may connect."""

    receive: Receive
    allowed: tuple[Network, ...]
    _busy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _open: set[HL7StreamWriter] = field(default_factory=set)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        server: asyncio.Server = await start_hl7_server(self._serve, host=host, port=port, ssl=tls, limit=LARGEST)
        return server

    async def _serve(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        peer = str((writer.get_extra_info("peername") or ("unknown",))[0])
        self._open.add(writer)
        try:
            if not self.is_allowed(peer) or len(self._open) > MOST_CONNECTIONS:
                logger.warning("an MLLP connection from %s was refused", peer)
                return
            await self._converse(reader, writer, peer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError):
            pass  # the sender went away; what was not acknowledged it sends again
        except Exception:
            logger.exception("an MLLP conversation broke off")
        finally:
            self._open.discard(writer)
            writer.close()

    def is_allowed(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.allowed)

    async def _converse(self, reader: HL7StreamReader, writer: HL7StreamWriter, peer: str) -> None:
        while True:
            try:
                raw = await asyncio.wait_for(self._block(reader), IDLE_S)
            except (InvalidBlockError, MalformedSegmentException, asyncio.LimitOverrunError, ValueError):
                logger.warning("what came from %s was no MLLP block: the connection is closed", peer)
                return
            if raw is None:
                return
            async with self._busy:
                answer = await asyncio.to_thread(self.receive, raw, peer)
            if answer is None:
                return
            writer.write(START + answer + END)
            await writer.drain()

    async def _block(self, reader: HL7StreamReader) -> bytes | None:
        """The content of the next block; None when the sender has closed."""
        if reader.at_eof():
            return None
        block = await reader.readuntil(END)
        if not block.startswith(START):
            block = block.lstrip(b"\r\n \t")
            if not block.startswith(START):
                raise InvalidBlockError
        content: bytes = block[len(START) : -len(END)]
        return content


def tls_context(certificate: str, key: str, client_ca: str) -> ssl.SSLContext | None:
    """TLS 1.2 or newer; with `client_ca` senders must show a certificate of it. None without a certificate."""
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key or None)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
