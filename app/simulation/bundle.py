"""Import files: records as NDJSON, alone or in a zip with the photos they name.

The same scene gives the same bytes: entries are in order and carry a fixed date.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from app.simulation.entities import Photo, Record
from app.simulation.photos import Photograph, artificial_photograph, develop

_DATE = (2026, 1, 1, 0, 0, 0)


def ndjson(records: Iterable[Record]) -> Iterator[bytes]:
    """One UTF-8 line per record, keys in the order they were written."""
    for record in records:
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write(
    target: Path | IO[bytes],
    records: Iterable[Record],
    photos: Mapping[str, Photo],
    photograph: Photograph = artificial_photograph,
) -> None:
    """Write `records.ndjson` and the photos under their own names into a zip archive."""
    with zipfile.ZipFile(target, "w") as archive:
        text = zipfile.ZipInfo("records.ndjson", _DATE)
        text.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(text, b"".join(ndjson(records)))
        for file in sorted(photos):
            # JPEG does not get smaller, so it is stored.
            archive.writestr(zipfile.ZipInfo(file, _DATE), develop(photos[file], photograph))


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write records alone, for services that already hold the photos or run without."""
    path.write_bytes(b"".join(ndjson(records)))
