"""The only requests that leave the house by itself: one POST to an address somebody else named.

Whoever names an address must not reach through this service what only it can reach. The name is
resolved once, every address behind it must be public or expressly allowed, and the connection goes
to the address that was looked at, not to what the name says a moment later. Redirects are not
followed, proxies not asked, and of a webhook's answer nothing but its status is read.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LIMIT_S = 10.0  # for one delivery as a whole
CONNECT_S = 5.0
_MOST_ADDRESSES = 3
_TRANSLATED = ip_network("64:ff9b::/96")  # NAT64: an IPv4 address in disguise
# What the standard library calls public, or may in some version, and is not: IANA's registries of
# special addresses, and where clouds tell their machines' secrets.
_SPECIAL = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # Azure
            "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.175.48.0/24", "198.18.0.0/15",
            "::/8", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32",
            "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
            "fec0::/10",
        ),
    )
)  # fmt: skip


class Undeliverable(Exception):
    """`code`: no_such_host, address_not_allowed, unreachable, tls, too_slow, no_http."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Sequence[Network] = (),
    limit_s: float = LIMIT_S,
) -> int:
    """Post and return the status of the answer, whatever it is. Raises Undeliverable."""
    return exchange(url, body, headers, allowed, limit_s, most=0)[0]


def exchange(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Sequence[Network] = (),
    limit_s: float = LIMIT_S,
    most: int = 4096,
) -> tuple[int, bytes]:
    """Post and return status and beginning of the answer. Raises Undeliverable."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    context = ssl.create_default_context() if parts.scheme == "https" else None
    connection = _Pinned(host, port, addresses(host, port, allowed), context)
    late = threading.Timer(limit_s, connection.cut)
    late.daemon = True
    late.start()
    try:
        connection.request("POST", target, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read(most) if most else b""
    except Undeliverable:
        raise
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
        # A socket that was cut under its reader fails in any of these ways.
        raise Undeliverable("too_slow" if connection.late else _code(error)) from error
    finally:
        late.cancel()
        connection.close()


def addresses(host: str, port: int, allowed: Sequence[Network]) -> list[str]:
    """Where the name leads. Raises Undeliverable, also when only one of the addresses is bad."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Undeliverable("no_such_host") from error
    named = list(dict.fromkeys(str(it[4][0]) for it in found))
    if not all(reachable(ip_address(it.partition("%")[0]), allowed) for it in named):
        raise Undeliverable("address_not_allowed")
    return named[:_MOST_ADDRESSES]


def reachable(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether a delivery may go there: to the public internet, or where the operator allows it.

    >>> reachable(ip_address("169.254.169.254")), reachable(ip_address("8.8.8.8"))
    (False, True)
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return reachable(address.ipv4_mapped, allowed)
        if address.sixtofour or address.teredo or address in _TRANSLATED:
            return False
    if any(address in network for network in allowed):
        return True
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were looked at, under the name they were asked for by."""

    def __init__(
        self, host: str, port: int, where: Sequence[str], context: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port, timeout=CONNECT_S)
        self.late = False
        self._where = where
        self._context = context
        if context is not None:
            self.default_port = 443

    def connect(self) -> None:
        """The first of the addresses that answers."""
        for address in self._where:
            with suppress(OSError):
                self.sock = socket.create_connection((address, self.port), CONNECT_S)
                break
            if self.late:
                raise Undeliverable("too_slow")
        else:
            raise Undeliverable("unreachable")
        if self._context is not None:
            secured = self._context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = secured
            secured.do_handshake()

    def cut(self) -> None:
        """Time is up: whatever waits for the other side fails now."""
        self.late = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def _code(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, TimeoutError):
        return "too_slow"
    return "unreachable" if isinstance(error, OSError) else "no_http"
