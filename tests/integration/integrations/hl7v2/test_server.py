"""The MLLP server: framing, order, allowed peers, garbage, and a sender that goes away."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from integrations.hl7v2.server import END, START, Server, networks, tls_context

LOOPBACK = networks(["127.0.0.0/8"])


def echo(raw, peer):
    return b"got " + raw


def converse(receive, *blocks, allowed=LOOPBACK, tls=None, client_tls=None):
    """What a sender hears who sends these bytes, one connection for all; b"" where the server closed."""

    async def scene():
        server = await Server(receive, allowed).start("127.0.0.1", 0, tls)
        port = server.sockets[0].getsockname()[1]
        heard = []
        async with server:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_tls)
            for block in blocks:
                writer.write(block)
                try:
                    heard.append(await asyncio.wait_for(reader.readuntil(END), 5))
                except (asyncio.IncompleteReadError, ConnectionError):
                    heard.append(b"")
            writer.close()
        return heard

    return asyncio.run(scene())


def block(content):
    return START + content + END


def test_messages_are_answered_in_their_order():
    assert converse(echo, block(b"one"), block(b"two\rthree")) == [block(b"got one"), block(b"got two\rthree")]


def test_two_messages_in_one_packet_are_two_messages():
    heard = []

    def note(raw, peer):
        heard.append(raw)
        return raw

    converse(note, block(b"one") + block(b"two"))
    assert heard[0] == b"one"


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n\x1c\r", b"\x1c\r", b"x" * 100 + END])
def test_what_is_no_block_closes_the_connection_and_nothing_else(noise):
    assert converse(echo, noise) == [b""]
    assert converse(echo, block(b"next")) == [block(b"got next")]


def test_a_block_without_end_is_cut_off_at_its_largest(monkeypatch):
    monkeypatch.setattr("integrations.hl7v2.server.LARGEST", 1000)
    assert converse(echo, START + b"x" * 5000 + END) == [b""]


def test_strangers_are_not_heard():
    assert converse(echo, block(b"one"), allowed=networks(["10.0.0.0/8"])) == [b""]


@pytest.mark.parametrize(
    ("peer", "allowed"),
    [("127.0.0.1", True), ("::ffff:127.0.0.5", True), ("10.1.1.1", False), ("::1", False), ("unknown", False)],
)
def test_who_is_allowed_is_said_by_networks(peer, allowed):
    assert Server(echo, LOOPBACK).is_allowed(peer) is allowed


def test_a_paused_door_closes_without_an_answer_so_that_the_sender_keeps_its_message():
    assert converse(lambda raw, peer: None, block(b"one")) == [b""]


def test_a_door_that_fails_costs_only_its_connection():
    def broken(raw, peer):
        raise RuntimeError("no")

    assert converse(broken, block(b"one")) == [b""]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_with_tls_the_same_is_said_encrypted(certificate):
    client = ssl.create_default_context(cafile=certificate[0])
    client.check_hostname = False
    assert converse(echo, block(b"one"), tls=tls_context(*certificate, ""), client_tls=client) == [block(b"got one")]


def test_senders_must_show_a_certificate_where_one_is_asked_for(certificate):
    client = ssl.create_default_context(cafile=certificate[0])
    client.check_hostname = False
    asked = tls_context(*certificate, certificate[0])
    assert converse(echo, block(b"one"), tls=asked, client_tls=client) == [b""]
    client.load_cert_chain(*certificate)
    assert converse(echo, block(b"one"), tls=asked, client_tls=client) == [block(b"got one")]


def test_without_a_certificate_there_is_no_tls():
    assert tls_context("", "", "") is None
