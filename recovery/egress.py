"""Calls that leave the house: to an address that somebody typed in, or that a browser handed us.

An address is looked up once, judged, and the connection goes to what was judged, so that a name which answers
differently the second time (DNS rebinding) reaches nobody. No redirect is followed, no answer is read beyond its first
kilobytes, and http is for loopback only.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from recovery.exceptions import Invalid, RecoveryError

LONGEST_URL = 2_000
MOST_READ = 16 * 1024  # bytes of an answer that are read at all
TIMEOUT_S = 5.0
STEPS_AT_MOST = 3  # a whole call may last so many times its timeout
# Prefixes whose last bits are an IPv4 address, reached through a translator: NAT64 (RFC 6052, RFC 8215).
TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
# Kept for protocols between machines of one network (RFC 6890), whatever a library takes for global.
PROTOCOLS = ip_network("192.0.0.0/24")
Address = IPv4Address | IPv6Address


class CallFailed(RecoveryError):
    """Nobody answered, or not in the way that was asked for. `message` names no address and no secret."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a URL leads: what to connect to (`address`, judged) and what to say there (`host`, `target`)."""

    scheme: str
    host: str
    port: int
    target: str
    address: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def check_url_may_be_called(url: str, allow_loopback: bool = False) -> Destination:
    """Where to connect for `url`. Raises Invalid (field `url`) with the reason and the remedy.

    https to a public address; private ones only for hosts named in settings.EGRESS_PRIVATE_HOSTS; loopback, there with
    http as well, only where `allow_loopback`.
    """
    scheme, host, port, target = _parts(url)
    addresses = _looked_up(host, port)
    loopback = all(one.is_loopback for one in addresses)
    if loopback and allow_loopback:
        return Destination(scheme, host, port, target, str(addresses[0]))
    if scheme != "https":
        raise _refused("only https addresses may be called.")
    named = host in {one.lower() for one in getattr(settings, "EGRESS_PRIVATE_HOSTS", ())}
    if not named and not all(_is_public(one) for one in addresses):
        raise _refused("it leads to a private address. The host can be named in EGRESS_PRIVATE_HOSTS.")
    return Destination(scheme, host, port, target, str(addresses[0]))


def call(
    destination: Destination,
    *,
    method: str = "POST",
    body: bytes = b"",
    headers: Mapping[str, str],
    timeout: float = TIMEOUT_S,
    most: int = MOST_READ,
) -> Answer:
    """One request to the address that was judged; of its answer `most` bytes are read. Raises CallFailed when no answer
    comes within `timeout` s a step."""
    sent = {"Host": destination.authority, "User-Agent": "twinweb", **headers}
    try:
        connection = _connection(destination, timeout)
    except OSError as error:
        raise CallFailed(f"No connection ({type(error).__name__}).") from error
    with _line_for(connection, STEPS_AT_MOST * timeout) as is_cut:
        try:
            connection.request(method, destination.target, body=body or None, headers=sent)
            answer = connection.getresponse()
            said = answer.read(most)
        except (OSError, http.client.HTTPException) as error:
            raise CallFailed(f"No answer ({type(error).__name__}).") from error
    if is_cut.is_set():
        raise CallFailed("No whole answer in time.")
    return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, said)


@contextlib.contextmanager
def _line_for(connection: http.client.HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """The connection, closed at the end, and cut after so many seconds: a receiver that answers byte by byte keeps each
    step short and the whole without end. The event says whether it came to that."""
    line: socket.socket = connection.sock
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_cut
    finally:
        timer.cancel()
        connection.close()


def _parts(url: str) -> tuple[str, str, int, str]:
    if len(url) > LONGEST_URL or not url.isascii() or any(ord(one) <= 32 or ord(one) == 127 for one in url):
        raise _refused(f"give up to {LONGEST_URL} plain characters without spaces.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("it cannot be read.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused("it must begin with https:// and a host.")
    if parts.username or parts.password:
        raise _refused("leave out name and password.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname.lower().rstrip("."), port or (443 if parts.scheme == "https" else 80), target


def _looked_up(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _refused("its host is not known.") from None
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inner is not None:
            return _is_public(inner)
        if address.is_site_local:  # fec0::/10: deprecated, and still the inside of some houses
            return False
    elif address in PROTOCOLS:
        return False
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not odd


def _translated(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFFFFFF) if any(address in one for one in TRANSLATED) else None


def _refused(remedy: str) -> Invalid:
    return Invalid(f"This address may not be called: {remedy}", field="url")


def _connection(destination: Destination, timeout: float) -> http.client.HTTPConnection:
    """Goes to the judged address; the certificate must be the host's."""
    if destination.scheme == "http":
        plain = http.client.HTTPConnection(destination.host, destination.port, timeout=timeout)
        plain.sock = socket.create_connection((destination.address, destination.port), timeout)
        return plain
    context = ssl.create_default_context()
    secure = http.client.HTTPSConnection(destination.host, destination.port, timeout=timeout, context=context)
    raw = socket.create_connection((destination.address, destination.port), timeout)
    try:
        secure.sock = context.wrap_socket(raw, server_hostname=destination.host)
    except BaseException:
        raw.close()
        raise
    return secure
