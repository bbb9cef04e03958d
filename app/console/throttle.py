"""Throttling of passwords: failed attempts of the last minutes, counted for all services.

Whoever signed in with a browser before is known by it, and counted apart: strangers who try a name
from many addresses shut out each other, and not the person.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from fastapi import Request, Response

from app.console.language import N_
from app.db import Database
from app.store.accounts import login_failures as store
from app.vault import Vault

WINDOW_MS = 15 * 60 * 1000
PER_BROWSER = 5
PER_NAME_AND_ADDRESS = 5
PER_NAME = 20
PER_ADDRESS = 100
TOO_MANY = N_("失败次数过多，请在%(minutes)s分钟后再试")
_SUBSCRIBERS = 64  # bits of an IPv6 address that its subscriber chooses
KNOWN_COOKIE = "zhenxue_known"
_KNOWN_S = 180 * 86_400
_PURPOSE = "known-browser"


@dataclass(frozen=True)
class LoginThrottle:
    """Counts failures by (name, address), by name and by address, or by the browser that a person
    signed in with before; successes are free. An address stands for its line (`line_of`).

    An attempt counts from when it begins, so that many at once are not more than one after another.
    The narrow limit stops one guesser; the wide ones stop guessing that is spread over names or
    addresses.
    """

    database: Database

    def attempt(self, name: str, address: str, now_ms: int, browser: str = "") -> int:
        """How long this name must wait at this address; 0 when it may try now, which then counts as
        a failure until it `succeeded`. `browser`: see `known_browser`."""
        keys = _keys(name, address, browser)
        with self.database.write() as connection:
            store.hold(connection, keys)
            store.prune(connection, now_ms - WINDOW_MS, now_ms + WINDOW_MS)
            waits = [0]
            for key, limit in keys.items():
                recent = store.times(connection, key, now_ms - WINDOW_MS)
                if len(recent) >= limit:
                    waits.append(recent[-limit] + WINDOW_MS - now_ms)
            if not max(waits):
                store.add(connection, keys, now_ms)
        return max(waits)

    def succeeded(self, name: str, address: str, now_ms: int, browser: str = "") -> None:
        """The attempt begun at `now_ms` was right: it is no failure, nor were those just before."""
        narrow, *wide = _keys(name, address, browser)
        with self.database.write() as connection:
            store.drop(connection, narrow)
            for key in wide:
                store.drop(connection, key, now_ms)


def _keys(name: str, address: str, browser: str) -> dict[bytes, int]:
    """What an attempt is counted for, the narrowest first, and how many are too many."""
    if browser:
        return {_key("browser", name, browser): PER_BROWSER}
    line = line_of(address)
    return {
        _key("both", name, line): PER_NAME_AND_ADDRESS,
        _key("name", name, ""): PER_NAME,
        _key("address", "", line): PER_ADDRESS,
    }


def line_of(address: str) -> str:
    """The line that an address belongs to: of IPv6 the first 64 bits, for each subscriber has all
    addresses under them.

    >>> line_of("2001:db8:1:2:aaaa::9"), line_of("::ffff:10.0.0.9"), line_of("10.0.0.9")
    ('2001:db8:1:2::', '10.0.0.9', '10.0.0.9')
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Address(int(found) >> _SUBSCRIBERS << _SUBSCRIBERS))
    return str(found.ipv4_mapped if isinstance(found, IPv6Address) else found)


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()


def throttle_of(request: Request) -> LoginThrottle:
    return LoginThrottle(request.app.state.services.database)


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def known_browser(request: Request, name: str) -> str:
    """The mark of a browser that somebody signed in with under this name; empty for any other."""
    mark, _, sign = request.cookies.get(KNOWN_COOKIE, "").partition(".")
    vault: Vault = request.app.state.services.vault
    good = mark and vault.signed(
        f"{name}\n{mark}".encode(),
        _PURPOSE,
        lambda made: hmac.compare_digest(made.hex().encode(), sign.encode()),
    )
    return mark if good else ""


def remember_browser(request: Request, response: Response, name: str) -> None:
    """Have the browser known under this name from now on."""
    services = request.app.state.services
    mark = known_browser(request, name) or secrets.token_urlsafe(12)
    response.set_cookie(
        KNOWN_COOKIE,
        f"{mark}.{_sign(services.vault, name, mark)}",
        max_age=_KNOWN_S,
        path="/console",
        secure=services.settings.production,
        httponly=True,
        samesite="lax",
    )


def _sign(vault: Vault, name: str, mark: str) -> str:
    return vault.sign(f"{name}\n{mark}".encode(), _PURPOSE).hex()
