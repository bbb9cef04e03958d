"""Official systems that subsidised classes stand in, as `detectors/packs/systems` maps them.

Of most no public interface is known: what goes there and comes back are files. Where there is one,
`requests` names its paths, and the bodies of those requests are a file too. A site puts a file of
the same name into `ZHENXUE_PACKS_DIR/systems` where the system's own template says other titles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.domain.policy import packs
from app.errors import NotFound
from app.languages import Text


class SystemColumn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of ours stands under which title of theirs."""

    field: str
    title: str


class SystemTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    columns: tuple[SystemColumn, ...]


class OfficialSystem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`class_no` is the form of its class numbers; `official`: its number is the class's official
    one; `codes` has its words for ours, by field; `requests` the paths of its interface."""

    id: str
    title: Text
    official: bool
    class_no: str
    class_no_note: Text
    classes: SystemTable
    learners: SystemTable
    codes: dict[str, dict[str, str]] = {}
    requests: dict[str, str] = {}

    def word(self, field: str, value: str) -> str:
        """Our word in theirs."""
        return self.codes.get(field, {}).get(value, value)

    def of_form(self, number: str | None) -> bool:
        """Whether a class number has the form that the system gives."""
        return bool(number and re.fullmatch(self.class_no, number))


def systems() -> Mapping[str, OfficialSystem]:
    """All systems by id, the site's own files in the place of those that are shipped."""
    files: dict[str, Path] = {}
    for folder in packs.shelves():
        files |= {it.stem: it for it in sorted((folder / "systems").glob("*.toml"))}
    return {name: _read(path) for name, path in files.items()}


def system(name: str) -> OfficialSystem:
    """Raises NotFound."""
    found = systems().get(name)
    if found is None:
        raise NotFound("unknown_system", f"there is no system {name!r}")
    return found


def _read(path: Path) -> OfficialSystem:
    told = msgspec.toml.decode(path.read_bytes(), type=OfficialSystem)
    if told.id != path.stem:
        raise ValueError(f"{path.name}: id inside says {told.id}")
    re.compile(told.class_no)
    return told
