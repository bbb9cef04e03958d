"""Style sheets and scripts, under addresses that carry a hash of their content.

The folder is small and read once; a browser may keep a file for a year, because changed content
has another address.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response

from app.errors import NotFound

FOLDER = Path(__file__).parent / "static"
PREFIX = "/console/static/"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str


def _load() -> tuple[dict[str, str], dict[str, Asset]]:
    addresses: dict[str, str] = {}
    assets: dict[str, Asset] = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            hashed = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
            addresses[path.name] = PREFIX + hashed
            assets[hashed] = Asset(content, _TYPES[path.suffix])
    return addresses, assets


_ADDRESSES, _ASSETS = _load()

router = APIRouter(include_in_schema=False)


def asset(name: str) -> str:
    """The address of a file in static/; an unknown name is a KeyError."""
    return _ADDRESSES[name]


@router.get(PREFIX + "{hashed}")
def static_file(hashed: str) -> Response:
    found = _ASSETS.get(hashed)
    if found is None:
        raise NotFound("no_such_file", "there is no such file")
    return Response(
        found.content,
        media_type=found.media_type,
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        },
    )
