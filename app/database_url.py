"""A database's address as PostgreSQL's own programs write it, in the form that SQLAlchemy reads."""

from __future__ import annotations

import re
from urllib.parse import quote

from psycopg.pq import Conninfo
from sqlalchemy import URL

_DRIVER = "postgresql+psycopg"
_PORT = "5432"
_SEVERAL = re.compile(r"(.*@)?([^/?@]*,[^/?@]*)(/[^?]*)?(?:\?(.*))?", re.DOTALL)


def for_sqlalchemy(url: str) -> str:
    """The address with our driver; several hosts, which libpq names one behind the other, stand in
    its query.

    >>> for_sqlalchemy("postgres://zx:pw@db1,db2:6432/zx?target_session_attrs=read-write")
    'postgresql+psycopg://zx:pw@/zx?target_session_attrs=read-write&host=db1%2Cdb2&port=5432%2C6432'
    """
    scheme, colon, rest = url.partition("://")
    if scheme not in ("postgres", "postgresql", _DRIVER):
        return url
    if several := _SEVERAL.fullmatch(rest):
        who, servers, path, query = (it or "" for it in several.groups())
        named = [_host_and_port(it) for it in servers.split(",")]
        hosts, ports = (quote(",".join(it), safe="") for it in zip(*named, strict=True))
        told = "&".join([*filter(None, [query]), f"host={hosts}", f"port={ports}"])
        rest = f"{who}{path}?{told}"
    return f"{_DRIVER}{colon}{rest}"


def _host_and_port(server: str) -> tuple[str, str]:
    host, colon, port = server.rpartition(":")
    if not colon or port.endswith("]"):  # an address of IPv6 holds colons
        host, port = server, _PORT
    return host.strip("[]"), port


def environment(url: URL) -> dict[str, str]:
    """What tells PostgreSQL's programs where: other users of the machine see arguments."""
    _, named = url.get_dialect()().create_connect_args(url)
    variables = {it.keyword.decode(): it.envvar for it in Conninfo.get_defaults()}
    return {
        variable.decode(): str(value)
        for keyword, value in named.items()
        if (variable := variables.get(keyword)) and value is not None
    }
