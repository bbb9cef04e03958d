"""Policy packs: dated rules as data. A pack is found by id and version, and known by its digest.

The files live in `detectors/packs`, and in the site's own folder (`ZHENXUE_PACKS_DIR`):
`<id>@<version>.toml` (several versions side by side), `clauses/<instrument>.toml`,
`catalogues/<catalogue>.toml`. The digest covers the resolved pack with the words of every clause it
cites and its catalogue: all that a verdict depends on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import detectors
from app import rules
from app.domain.policy import pack_names, question_pool
from app.domain.policy.clauses import Clause, register
from app.domain.policy.pack import Pack, Parameter
from app.domain.policy.pack_schema import (
    FILE_STEM,
    CatalogueFile,
    PackError,
    PackTable,
    read_toml,
    validated,
)
from app.errors import BadInput
from app.languages import Text
from detectors.occupations import OccupationRow, Occupations

__all__ = [
    "FOLDER",
    "Change",
    "Pack",
    "PackSummary",
    "Parameter",
    "Text",
    "UnknownPack",
    "available",
    "diff",
    "load",
    "load_from",
    "rule_title",
    "shelves",
    "versions",
]

FOLDER = Path(detectors.__file__).parent / "packs"
Shelves = tuple[Path, ...]
NO_OCCUPATIONS = Occupations("", "", date.min, "", (), {})


class UnknownPack(BadInput):
    """No pack of that id, or not in that version."""


@dataclass(frozen=True, slots=True)
class PackSummary:
    """What a list of packs shows."""

    id: str
    version: str
    title: Text
    instrument: str
    digest: str
    latest: bool

    @property
    def name(self) -> str:
        return f"{self.id}@{self.version}"


@dataclass(frozen=True, slots=True)
class Change:
    """A place where two packs differ; None where one of them has nothing."""

    path: str
    before: Any
    after: Any


def shelves(folder: Path | None = None) -> Shelves:
    """The folders that packs are read from: the one that is named, else the product's and then the
    site's.

    The environment is read here, because every process that judges has to find the same packs,
    those that are spawned too.
    """
    if folder is not None:
        return (folder,)
    site = os.environ.get("ZHENXUE_PACKS_DIR", "")
    return (FOLDER, Path(site).resolve()) if site else (FOLDER,)


def load(pack_id: str, version: str | None = None, *, folder: Path | None = None) -> Pack:
    """The pack of that id, in its latest version unless one is given (also as `id@version`).

    UnknownPack when there is none, PackError when its files are wrong. Cached.
    """
    if "@" in pack_id and version is None:
        pack_id, _, version = pack_id.partition("@")
    known = readable(folder)
    if pack_id not in known:
        names = ", ".join(sorted(known)) or "none"
        raise UnknownPack("unknown_pack", f"no pack {pack_id!r}; there are: {names}")
    if version is None:
        version = known[pack_id][-1]
    elif version not in known[pack_id]:
        there = ", ".join(known[pack_id])
        detail = f"no version {version!r} of {pack_id}; there are: {there}"
        raise UnknownPack("unknown_pack", detail)
    return _load(pack_id, version, shelves(folder))


def load_from(pack_id: str, version: str, where: Shelves) -> Pack:
    """The pack out of these folders, read anew: for one that is not published yet."""
    return _read(pack_id, version, where)


def found(pack_id: str, version: str | None = None) -> Pack | None:
    """The same; None where it is not on the shelf, for those who can do without its words."""
    try:
        return load(pack_id, version)
    except UnknownPack:
        return None


def rule_title(rule: str, pack: str = "") -> Text:
    """What the pack (`<id>@<version>`) calls a rule; where it is gone or has no such rule, and
    where none is given, the product's name without numbers."""
    own = found(pack) if pack else None
    table = own.table.rules.get(rule) if own else None
    return Text(table.title.zh, table.title.en) if table else rules.title(rule)


def available(*, folder: Path | None = None, strict: bool = False) -> list[PackSummary]:
    """All packs in all versions, by id and version. A file that is no pack's is passed over; where
    `strict`, it raises PackError."""
    return [
        PackSummary(
            id=pack.id,
            version=pack.version,
            title=pack.title,
            instrument=pack.instrument.number,
            digest=pack.digest,
            latest=version == known[-1],
        )
        for pack_id, known in sorted((versions if strict else readable)(folder).items())
        for version in known
        for pack in (load(pack_id, version, folder=folder),)
    ]


def diff(a: Pack, b: Pack) -> list[Change]:
    """What `b` decides differently from `a`: rules, parameters, clauses, catalogue."""
    before, after = dict(_leaves(a.content)), dict(_leaves(b.content))
    paths = [*before, *(path for path in after if path not in before)]
    return [
        Change(path, before.get(path), after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
        and path not in ("id", "version", "title.zh", "title.en")
    ]


def versions(folder: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """Versions of every pack, oldest first: those with a file of their own, and those in which a
    pack that `follows` another has nothing of its own to say. Raises PackError for a file that is
    no pack's, or another folder's."""
    _, strays = _sorted_out(shelves(folder))
    if strays:
        raise PackError(*strays)
    return readable(folder)


def readable(folder: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """The same, past what is no pack's file: somebody's copy keeps nobody from the packs."""
    where = shelves(folder)
    return _versions(where, tuple(_changed(it) for it in where))


@cache
def _versions(where: Shelves, _: tuple[int, ...]) -> Mapping[str, tuple[str, ...]]:
    files = _files(where)
    found = {pack_id: tuple(known) for pack_id, known in files.items()}
    for pack_id, known in list(found.items()):
        leader = _leader(files[pack_id][known[-1]])
        if leader is not None:
            later = [it for it in found.get(leader, ()) if _order(it) > _order(known[-1])]
            found[pack_id] = (*known, *later)
    return found


def _changed(folder: Path) -> int:
    """When a file was last added to a folder, or taken from it; 0 where there is none."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _files(where: Shelves) -> dict[str, dict[str, Path]]:
    """Files by pack and version, oldest first."""
    return _sorted_out(where)[0]


def _sorted_out(where: Shelves) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """The files, and a line for each that is none. A pack's versions stand in one folder, the
    first that has it: nobody else's file becomes the latest version of it."""
    found: dict[str, dict[str, Path]] = {}
    strays: list[str] = []
    for path in (path for folder in where for path in sorted(folder.glob("*.toml"))):
        pack_id, at, version = path.stem.partition("@")
        if not at or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", version):
            strays.append(f"{path.name}: a pack file is named <id>@<major>.<minor>.<patch>.toml")
            continue
        known = found.setdefault(pack_id, {})
        if any(it.parent != path.parent for it in known.values()):
            strays.append(f"{path.name}: {pack_id} stands in two folders: give it another id")
            continue
        known[version] = path
    in_order = {
        pack_id: dict(sorted(known.items(), key=lambda it: _order(it[0])))
        for pack_id, known in found.items()
    }
    return in_order, strays


def _order(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _leader(path: Path) -> str | None:
    """The pack whose later versions this one reads in its own way, if it follows any."""
    try:
        follows = read_toml(path, path.name).get("follows")
    except PackError:
        return None  # told when it is loaded
    return None if follows is None else str(follows)


@cache
def _load(pack_id: str, version: str, where: Shelves) -> Pack:
    return _read(pack_id, version, where)


def _read(pack_id: str, version: str, where: Shelves) -> Pack:
    files = _files(where)
    path = files[pack_id].get(version)
    if path is not None:
        tables = _resolved(path, (), files)
    else:  # it follows another pack, whose version this is
        path = list(files[pack_id].values())[-1]
        tables = _resolved(path, (), files, version) | {"version": version}
    table = validated(PackTable, tables, path.name)
    if (table.id, table.version) != (pack_id, version):
        raise PackError(f"{path.name}: id and version inside say {table.id}@{table.version}")
    catalogue = _catalogue(where, table.catalogue) if table.catalogue else None
    keys = _cited(table, catalogue)
    clauses = clauses_for(keys, where)
    cited = {key: clauses.get(key) for key in keys}
    _require_clauses(table, cited, path.name)
    if catalogue is not None:
        _require_row_quotes(catalogue, cited)
    _require_known(table, path.name)
    mine = {key: clause for key, clause in sorted(cited.items()) if clause is not None}
    content = {
        **table.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "clauses": {key: _wording(clause) for key, clause in mine.items()},
    }
    pool = _asked_pool(table, path.name)
    if pool:
        content["questions"] = question_pool.load(pool, where).digest
    if catalogue is None:
        return Pack(table, content, mine, NO_OCCUPATIONS)
    content["catalogue"] = catalogue.model_dump(mode="json", exclude_unset=True)
    return Pack(table, content, mine, _occupations(catalogue, mine))


def _asked_pool(table: PackTable, file: str) -> str:
    """The pool that the pack's pop-ups ask from; empty where they ask from none."""
    told = {name: it.scalar for name, it in table.rules["popup_gap"].parameters.items()}
    if told.get("question") not in ("quiz", "both"):
        return ""
    pool = str(told.get("question_pool", ""))
    if not re.fullmatch(FILE_STEM, pool):
        where = f"{file}: rules.popup_gap.parameters.question_pool"
        raise PackError(f"{where}: must name a file of questions/, as question asks from one")
    return pool


def _occupations(catalogue: CatalogueFile, clauses: Mapping[str, Clause]) -> Occupations:
    return Occupations(
        id=catalogue.id,
        clause=catalogue.clause,
        dated=catalogue.dated,
        article=clauses[catalogue.clause].article,
        rows=tuple(
            OccupationRow(
                id=name,
                title=clauses[row.clause].words,
                names=tuple(row.names),
                in_person=row.in_person,
                min_hours=float(row.min_hours.scalar) if row.min_hours else None,
            )
            for name, row in catalogue.all_rows.items()
        ),
        aliases=catalogue.aliases,
    )


def _resolved(
    path: Path, below: tuple[str, ...], files: Mapping[str, Mapping[str, Path]], following: str = ""
) -> dict[str, Any]:
    """The tables of a pack file laid over those of the pack it extends, or, as of the version
    `following`, over those of the pack it follows."""
    if path.name in below:
        raise PackError(f"{path.name}: extends itself by way of {', '.join(below)}")
    tables = read_toml(path, path.name)
    base, leader = tables.pop("extends", None), tables.pop("follows", None)
    if leader is not None and not str(base).startswith(f"{leader}@"):
        raise PackError(f"{path.name}: follows: must be the pack that it extends")
    if following:
        base = f"{leader}@{following}"
    if base is None:
        return tables
    if not isinstance(base, str) or "@" not in base:
        raise PackError(f"{path.name}: extends: must name a pack as <id>@<version>")
    base_id, _, version = base.partition("@")
    under = files.get(base_id, {}).get(version)
    if under is None:
        raise PackError(f"{path.name}: extends: {base}.toml: no such file")
    return _laid_over(_resolved(under, (*below, path.name), files), tables)


def _laid_over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merge; a parameter is replaced whole, so that a new value cannot keep an old quote."""
    merged = dict(base)
    for key, value in top.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and "value" not in value:
            merged[key] = _laid_over(merged[key], value)
        else:
            merged[key] = value
    return merged


def clauses_for(keys: Collection[str] | None, where: Shelves) -> dict[str, Clause]:
    """All clauses of the folders up to the one that has the last of these, None: of all. A file of
    the site that nobody can read keeps nobody from the packs that do without its words. An
    instrument stands in one folder. Raises PackError."""
    found: dict[str, Clause] = {}
    for folder in where:
        if keys is not None and found.keys() >= set(keys):
            break
        more = register(folder / "clauses") if (folder / "clauses").is_dir() else {}
        twice = sorted({it.instrument.id for key, it in more.items() if key in found})
        if twice:
            raise PackError(*(f"clauses/{it}.toml: stands in two folders" for it in twice))
        found |= more
    return found


def _catalogue(where: Shelves, name: str) -> CatalogueFile:
    file = f"catalogues/{name}.toml"
    path = next((it / file for it in where if (it / file).is_file()), where[0] / file)
    return validated(CatalogueFile, read_toml(path, file), file)


def _cited(table: PackTable, catalogue: CatalogueFile | None) -> set[str]:
    cited: set[str] = set()
    if catalogue is not None:
        rows = catalogue.all_rows.values()
        hours = [row.min_hours.clause for row in rows if row.min_hours and row.min_hours.clause]
        cited |= {catalogue.clause, *(row.clause for row in rows), *hours}
    for it in table.tables.values():
        cited |= {key for key in (it.clause, *(p.clause for p in it.parameters.values())) if key}
    return cited


def _require_clauses(table: PackTable, cited: Mapping[str, Clause | None], file: str) -> None:
    """Every clause key is in the register, and every quote stands in its clause."""
    problems = [f"{file}: no clause {key!r}" for key, it in sorted(cited.items()) if it is None]
    for name, it in table.tables.items():
        for parameter, value in it.parameters.items():
            clause = cited.get(value.clause) if value.clause else None
            if clause and value.quote and value.quote not in clause.passage:
                problems.append(
                    f"{file}: {name}.parameters.{parameter}.quote: not in {value.clause}"
                )
    if not any(clause and clause.instrument.id == table.instrument for clause in cited.values()):
        problems.append(f"{file}: instrument: no clause of {table.instrument!r} is cited")
    if problems:
        raise PackError(*problems)


def _require_row_quotes(catalogue: CatalogueFile, cited: Mapping[str, Clause | None]) -> None:
    """Every number of a row that is quoted stands in its clause."""
    wrong = [
        f"catalogues/{catalogue.id}.toml: rows.{name}.min_hours.quote: not in {hours.clause}"
        for name, row in catalogue.all_rows.items()
        if (hours := row.min_hours) and hours.clause and hours.quote
        if (clause := cited.get(hours.clause)) and hours.quote not in clause.passage
    ]
    if wrong:
        raise PackError(*wrong)


def _require_known(table: PackTable, file: str) -> None:
    lines = [*pack_names.unknown(table), *pack_names.beyond(table)]
    problems = [f"{file}: {line}" for line in lines]
    if problems:
        raise PackError(*problems)


def _wording(clause: Clause) -> dict[str, str]:
    """What of a clause belongs to the pack's digest: its words, not our gloss."""
    return {
        "instrument": clause.instrument.number,
        "article": clause.article,
        "words": clause.words,
        "passage": clause.passage,
    }


def _leaves(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted paths; a parameter is one leaf."""
    for key, value in content.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict) and "value" not in value:
            yield from _leaves(value, here)
        else:
            yield here, value
