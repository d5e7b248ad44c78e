"""HTTP to addresses that people name, never into this network (server-side request forgery, CWE-918).

A name is resolved once, every address that it has must be public, and the connection goes to one of these very addresses: a
name that says something else a moment later (DNS rebinding) changes nothing. ``Host``, and TLS with its certificate, go by
the name. Where a redirect leads is looked at anew. ``settings.FETCH_NETWORKS`` are reached though they are not public.

No proxy of the environment is used: it would resolve the name once more. A network that translates all of IPv6 to its own
IPv4 under a prefix of its own (RFC 6052, 2.2) cannot be told from the public one; there a firewall has to say no.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from time import monotonic
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.conf import settings

REDIRECTS = 5
#: Seconds for one address to take the connection, and for all of a fetch.
CONNECT_S, ALL_S = 10.0, 60.0
_CHUNK = 2**16
#: Of a path or query (RFC 3986, 3.3 and 3.4), what was escaped already among it.
_AS_IT_IS = "/?%:@!$&'()*+,;=~"

_AGENT = {"User-Agent": "Hilltop"}

Address = IPv4Address | IPv6Address
#: What IPv6 gives to hosts of the internet (RFC 4291, 2.4); all else is for one link, one network or nobody.
_GLOBAL_UNICAST = ip_network("2000::/3")
#: IPv4 within IPv6 for networks without IPv4 (RFC 6052, 2.1).
_NAT64 = ip_network("64:ff9b::/96")
#: What the registries of special addresses (RFC 6890) have beyond Python's, and Azure's address for its own machines.
_SPECIAL = [ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]


class NotFetched(Exception):
    """Nothing was fetched. ``code``: ``bad_url``, ``not_public``, ``no_answer``, ``status``, ``kind`` or ``too_large``."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Fetched:
    """``url``: where it was in the end."""

    url: str
    kind: str
    data: bytes


def may_be_reached(address: Address) -> bool:
    inner = _carried(address)
    return any(inner in network for network in settings.FETCH_NETWORKS) or _is_public(inner)


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        tunnel = address.sixtofour is not None or address.teredo is not None  # nobody keeps photos behind one
        return address in _GLOBAL_UNICAST and address.is_global and not tunnel
    return (
        address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)
    )


def fetch(url: str, *, most_bytes: int, kinds: Sequence[str], seconds: float = ALL_S) -> Fetched:
    """GET what is at ``url``, at most ``most_bytes`` of it, in ``seconds`` with all redirects. Raises :class:`NotFetched`.

    ``kinds``: how the content's type may begin. What says no type is taken.
    """
    deadline = monotonic() + seconds
    for _hop in range(REDIRECTS + 1):
        with request("GET", url, {"Accept-Encoding": "identity"}, deadline=deadline) as response:
            if response.status in {301, 302, 303, 307, 308} and (location := response.getheader("Location")):
                url = urljoin(url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
                continue
            if response.status != 200:
                raise NotFetched("status", str(response.status))
            kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
            if kind and not kind.startswith(tuple(kinds)):
                raise NotFetched("kind", kind)
            return Fetched(url, kind, _body(response, most_bytes, deadline))
    raise NotFetched("no_answer", "too many redirects")


def _body(response: HTTPResponse, most: int, deadline: float) -> bytes:
    data = bytearray()
    while part := response.read(min(_CHUNK, most + 1 - len(data))):
        data += part
        if len(data) > most:
            raise NotFetched("too_large")
    # A line that was cut off at the deadline looks like an end, where no length was told.
    if monotonic() > deadline:
        raise NotFetched("no_answer", "too slow")
    return bytes(data)


@contextmanager
def request(
    method: str, url: str, headers: dict[str, str], *, body: bytes | None = None, deadline: float
) -> Iterator[HTTPResponse]:
    """One server's answer, redirects not followed. ``deadline``: of :func:`time.monotonic`. Raises :class:`NotFetched`."""
    parts, host, port = _parts(url)
    try:
        line = _connected(_resolved(host, port), deadline)
    except OSError as error:
        raise NotFetched("no_answer", str(error)) from error
    try:
        if parts.scheme == "https":
            line = _tls().wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
        with _cut_at(line, deadline):
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            connection = HTTPConnection(host, port)
            connection.sock = line
            connection.request(method, _target(parts), body, _AGENT | {"Host": _host(host, parts)} | headers)
            with connection.getresponse() as response:
                yield response
    except (OSError, HTTPException, ValueError) as error:
        raise NotFetched("no_answer", f"{type(error).__name__}: {error}") from error
    finally:
        line.close()


def _parts(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (KeyError, ValueError) as error:  # ValueError: a port, a bracket or a name that is none
        raise NotFetched("bad_url", str(error)) from error
    if not host or parts.username is not None:
        raise NotFetched("bad_url")
    return parts, host, port


def _host(host: str, parts: SplitResult) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{parts.port}" if parts.port else name


def _target(parts: SplitResult) -> str:
    path, query = (quote(part, safe=_AS_IT_IS) for part in (parts.path or "/", parts.query))
    return f"{path}?{query}" if query else path


def _resolved(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    found: list[tuple[socket.AddressFamily, tuple[object, ...]]] = [
        (family, where)
        for family, _kind, _proto, _name, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]
    for _family, where in found:
        address = ip_address(str(where[0]).partition("%")[0])
        if not may_be_reached(address):
            raise NotFetched("not_public", f"{host} is {address}")
    return found


def _connected(
    addresses: list[tuple[socket.AddressFamily, tuple[object, ...]]], deadline: float
) -> socket.socket:
    """Of the first address that takes it."""
    trouble: OSError = OSError("no address")
    for family, where in addresses:
        try:
            return _socket_to(family, where, max(0.1, min(CONNECT_S, deadline - monotonic())))
        except OSError as error:
            trouble = error
    raise trouble


def _socket_to(family: socket.AddressFamily, where: tuple[object, ...], seconds: float) -> socket.socket:
    line = socket.socket(family, socket.SOCK_STREAM)
    try:
        line.settimeout(seconds)
        line.connect(where)
    except BaseException:
        line.close()
        raise
    return line


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _cut_at(line: socket.socket, deadline: float) -> Iterator[None]:
    """Whatever the other side does, a byte now and then or nothing, the line ends at the deadline."""
    timer = Timer(max(0.0, deadline - monotonic()), _cut, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # beneath TLS, which would wait for the other side
