"""What may be called: public https addresses, and nothing inside the house that nobody named."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from recovery import egress
from recovery.egress import CallFailed, check_url_may_be_called
from recovery.exceptions import Invalid


def answers(monkeypatch, *addresses: str):
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: rows)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "fec0::1",
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.7",
        "64:ff9b::a00:7",
        "2002:a00:7::1",
    ],
)
def test_an_address_inside_the_house_is_refused(monkeypatch, address):
    answers(monkeypatch, address)
    with pytest.raises(Invalid, match="private address"):
        check_url_may_be_called("https://hook.example.org/in")


def test_one_private_answer_among_public_ones_is_enough_to_refuse(monkeypatch):
    answers(monkeypatch, "93.184.216.34", "10.0.0.7")
    with pytest.raises(Invalid):
        check_url_may_be_called("https://hook.example.org/in")


def test_a_public_address_is_pinned_to_what_was_looked_up(monkeypatch):
    answers(monkeypatch, "93.184.216.34")
    found = check_url_may_be_called("https://Hook.Example.org:8443/in?a=1#part")
    assert (found.address, found.host, found.port, found.target) == (
        "93.184.216.34",
        "hook.example.org",
        8443,
        "/in?a=1",
    )
    assert found.authority == "hook.example.org:8443"


def test_a_host_that_the_site_has_named_may_be_private(monkeypatch, settings):
    settings.EGRESS_PRIVATE_HOSTS = ["pager.hospital.example"]
    answers(monkeypatch, "10.0.0.7")
    assert check_url_may_be_called("https://pager.hospital.example/in").address == "10.0.0.7"
    with pytest.raises(Invalid):
        check_url_may_be_called("https://other.hospital.example/in")


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example.org/",
        "ftp://hook.example.org/",
        "https://user:secret@hook.example.org/",
        "https:///nowhere",
        "https://hook.example.org:99999/",
        "https://hook.example.org/a b",
        "https://hook.example.org/\r\nX: y",
        "javascript:alert(1)",
        "",
        "https://hook.example.org/" + "a" * 3000,
    ],
)
def test_what_is_no_plain_https_address_is_refused(monkeypatch, url):
    answers(monkeypatch, "93.184.216.34")
    with pytest.raises(Invalid):
        check_url_may_be_called(url)


def test_loopback_is_for_those_who_ask_for_it():
    assert check_url_may_be_called("http://127.0.0.1:9/", allow_loopback=True).address == "127.0.0.1"
    with pytest.raises(Invalid):
        check_url_may_be_called("http://127.0.0.1:9/")


def test_a_name_that_nobody_knows_is_refused(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Invalid, match="not known"):
        check_url_may_be_called("https://nowhere.invalid/")


class Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(said + b" " + self.headers["Host"].encode() + b"x" * 100_000)

    def log_message(self, *args) -> None:
        """Quiet."""


def test_a_call_says_what_it_was_given_follows_nothing_and_reads_little():
    server = HTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        there = check_url_may_be_called(f"http://127.0.0.1:{server.server_port}/in", allow_loopback=True)
        answer = egress.call(there, body=b"hello", headers={"Content-Type": "text/plain"})
    finally:
        server.shutdown()
        server.server_close()
    assert answer.status == 302 and answer.body.startswith(f"hello 127.0.0.1:{server.server_port}".encode())
    assert len(answer.body) == egress.MOST_READ


def test_nobody_at_home_is_told_without_the_address():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        there = check_url_may_be_called(f"http://127.0.0.1:{held.getsockname()[1]}/", allow_loopback=True)
        with pytest.raises(CallFailed) as told:
            egress.call(there, headers={})
    assert "127.0.0.1" not in told.value.message


def test_who_drips_for_ever_is_hung_up_on():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line:
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
                try:
                    while not over.wait(0.02):
                        line.sendall(b"x")
                except OSError:
                    return

        over = threading.Event()
        threading.Thread(target=drip, daemon=True).start()
        there = check_url_may_be_called(f"http://127.0.0.1:{server.getsockname()[1]}/", allow_loopback=True)
        try:
            with pytest.raises(CallFailed):
                egress.call(there, headers={}, timeout=0.2)
        finally:
            over.set()
