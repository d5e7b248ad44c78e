"""Addresses that people name never reach into this network: kinds of addresses × plain, redirected, and rebound."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

from labeling.http import public_addresses
from labeling.http.public_addresses import NotFetched, fetch

PUBLIC = "93.184.216.34"
NOT_PUBLIC = {
    "loopback": "127.0.0.1",
    "loopback, another": "127.8.9.1",
    "loopback, IPv6": "::1",
    "this host": "0.0.0.0",
    "nowhere, IPv6": "::",
    "private 10": "10.1.2.3",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "unique local": "fd00:ec2::254",
    "link-local, a cloud's metadata": "169.254.169.254",
    "link-local, IPv6": "fe80::1",
    "link-local, with its link": "fe80::1%lo",
    "site-local": "fec0::1",
    "carrier-grade NAT": "100.64.0.1",
    "a cloud's metadata in carrier-grade NAT": "100.100.100.200",
    "Azure's own": "168.63.129.16",
    "protocol assignments": "192.0.0.9",
    "6to4 relays": "192.88.99.1",
    "benchmarks": "198.18.0.1",
    "documentation": "203.0.113.7",
    "documentation, IPv6": "2001:db8::1",
    "multicast": "224.0.0.1",
    "multicast, IPv6": "ff02::1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "mapped": "::ffff:127.0.0.1",
    "mapped, link-local": "::ffff:169.254.169.254",
    "compatible": "::7f00:1",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64 of private": "64:ff9b::a01:203",
    "NAT64 of one network": "64:ff9b:1::1",
    "6to4 of private": "2002:a01:203::1",
    "Teredo": "2001:0:102:304::1",
    "discard": "100::1",
}
KINDS = ("image/",)


@dataclass
class Net:
    """``names``: what each resolves to, time after time. ``reached``: addresses to which a connection was made."""

    port: int
    names: dict[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)


class Site(BaseHTTPRequestHandler):
    """``/to?URL`` leads there; all else says what stands behind its question mark."""

    seen: list[tuple[str, str]] = []

    def do_GET(self) -> None:
        self.seen.append((self.headers["Host"], self.path))
        where, _, rest = self.path.partition("?")
        if where == "/drip":
            self._drip()
            return
        self.send_response({"/to": 302, "/none": 404}.get(where, 200))
        if where == "/to":
            self.send_header("Location", rest)
        self.send_header("Content-Type", "text/html" if where == "/page" else "image/png")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest.encode())

    def _drip(self) -> None:
        """A letter now and then, and no end of the first line."""
        for _letter in range(200):
            try:
                self.wfile.write(b"x")
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def net(site: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> Net:
    """Every address that may be reached is the site; what would be reached is written down."""
    Site.seen.clear()
    net = Net(site.server_address[1], {})
    real = socket.getaddrinfo

    def resolve(host: str, port: int, **options: Any) -> Any:
        net.asked.append(host)
        answers = net.names.get(host)
        if answers is None:
            return real(host, port, **options)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    def connect(family: Any, where: tuple[Any, ...], seconds: float) -> socket.socket:
        net.reached.append(str(where[0]))
        line = socket.socket()
        line.settimeout(seconds)
        line.connect(("127.0.0.1", net.port))
        return line

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(public_addresses, "_socket_to", connect)
    return net


WAYS = ["plain", "among public ones", "as a number", "redirected", "rebound", "rebound after a redirect"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_what_is_not_public_is_never_reached(net: Net, address: str, way: str) -> None:
    net.names = {"photos.example": [[PUBLIC]], "inside.example": [[address]]}
    url, reached = "http://inside.example/a.png", []
    match way:
        case "among public ones":
            net.names["inside.example"] = [[PUBLIC, address]]
        case "as a number":
            url = f"http://[{address.replace('%', '%25')}]/" if ":" in address else f"http://{address}/"
        case "redirected":
            url, reached = "http://photos.example/to?http://inside.example/a.png", [PUBLIC]
        case "rebound":
            # Public when it is looked at, private ever after: the connection goes where was looked.
            net.names["inside.example"] = [[PUBLIC], [address]]
            assert fetch(url, most_bytes=9, kinds=KINDS).data == b""
            assert net.reached == [PUBLIC] and net.asked == ["inside.example"]
            return
        case "rebound after a redirect":
            net.names["inside.example"] = [[PUBLIC], [address]]
            url, reached = "http://inside.example/to?/a.png", [PUBLIC]
    with pytest.raises(NotFetched) as refused:
        fetch(url, most_bytes=9, kinds=KINDS)
    assert refused.value.code == "not_public" or "%" in url  # of a link: no address to every resolver
    assert net.reached == reached and len(Site.seen) == len(reached)


HERE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "017700000001",
    "localhost",
    "[::ffff:127.0.0.1]",
    "１２７.0.0.1",
]


@pytest.mark.parametrize("host", HERE)
def test_however_this_machine_is_written_it_hears_nothing(
    site: ThreadingHTTPServer, settings: Settings, host: str
) -> None:
    """Over real sockets; that the server would answer is seen when its network is opened."""
    Site.seen.clear()
    url = f"http://{host}:{site.server_address[1]}/a.png?x"
    with pytest.raises(NotFetched) as refused:
        fetch(url, most_bytes=9, kinds=KINDS)
    assert refused.value.code == "not_public" and not Site.seen
    settings.FETCH_NETWORKS = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    if host != "localhost":  # it may have an address on which this server does not listen
        assert fetch(url, most_bytes=9, kinds=KINDS).data == b"x"


NO_ADDRESSES = [
    "",
    "a.png",
    "/a.png",
    "file:///etc/passwd",
    "ftp://photos.example/a",
    "http://",
    "http://a:99999/",
    "http://me:secret@photos.example/",
    "http://@photos.example/",
    "http://[::1/",
    "http://a..b/",
]


@pytest.mark.parametrize("url", [*NO_ADDRESSES, f"http://{'a' * 64}.example/"])
def test_what_is_no_address_is_said(net: Net, url: str) -> None:
    with pytest.raises(NotFetched) as refused:
        fetch(url, most_bytes=9, kinds=KINDS)
    assert refused.value.code == "bad_url" and not net.reached


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/none", "status"),
        ("/page?x", "kind"),
        ("/a.png?0123456789", "too_large"),
        ("/to?http://photos.example/to?file:///etc/passwd", "bad_url"),
        ("/drip", "no_answer"),
    ],
)
def test_what_is_no_photo_within_bounds_is_said(net: Net, path: str, code: str) -> None:
    net.names = {"photos.example": [[PUBLIC]]}
    with pytest.raises(NotFetched) as refused:
        fetch(
            f"http://photos.example{path}",
            most_bytes=9,
            kinds=KINDS,
            seconds=0.5 if code == "no_answer" else 20,
        )
    assert refused.value.code == code


def test_a_circle_of_redirects_ends(net: Net) -> None:
    net.names = {"photos.example": [[PUBLIC]]}
    url = "/to?" * 9 + "/a.png"
    with pytest.raises(NotFetched):
        fetch(f"http://photos.example{url}", most_bytes=9, kinds=KINDS)
    assert len(net.reached) == public_addresses.REDIRECTS + 1


def test_nat64_and_a_second_address_lead_to_what_is_public(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    net.names = {"photos.example": [["64:ff9b::5db8:d822", PUBLIC]]}
    connect = public_addresses._socket_to

    def only_old(family: Any, where: tuple[Any, ...], seconds: float) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError("no route")
        return connect(family, where, seconds)

    monkeypatch.setattr(public_addresses, "_socket_to", only_old)
    assert fetch("http://photos.example:8080/앞 1.png?x", most_bytes=9, kinds=KINDS).data == b"x"
    assert net.reached == [PUBLIC]
    assert Site.seen == [("photos.example:8080", "/%EC%95%9E%201.png?x")]


def test_tls_is_spoken_with_the_name_and_its_certificate_is_checked(
    net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str | None] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = _certificate(tmp_path, "photos.example")
    theirs.load_cert_chain(certificate)
    theirs.sni_callback = lambda _line, name, _context: names.append(name)
    server.socket = theirs.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ours = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(public_addresses, "_tls", lambda: ours)
    net.port = server.server_address[1]
    net.names = {"photos.example": [[PUBLIC]], "other.example": [[PUBLIC]]}
    try:
        assert fetch("https://photos.example/a.png?x", most_bytes=9, kinds=KINDS).data == b"x"
        with pytest.raises(NotFetched):
            fetch("https://other.example/a.png?x", most_bytes=9, kinds=KINDS)
    finally:
        server.shutdown()
        server.server_close()
    assert names == ["photos.example", "other.example"] and len(Site.seen) == 1


def _certificate(folder: Path, name: str) -> Path:
    """One that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "site.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
