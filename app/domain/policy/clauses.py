"""The clause register: exact words of the instruments that packs refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from app.domain.policy.pack_schema import NOT_IN_TREE, ClauseFile, PackError, read_toml, validated


@dataclass(frozen=True, slots=True)
class Instrument:
    """A dated document of an authority. `in_tree`: its source text is kept beside the tests."""

    id: str
    title: str
    title_en: str
    number: str
    issuer: str
    dated: date | None
    effective_from: date | None
    effective_to: date | None
    effective_note: str | None
    in_tree: bool


@dataclass(frozen=True, slots=True)
class Clause:
    """Words of an instrument, never paraphrased; `passage` is the sentence they stand in."""

    key: str
    instrument: Instrument
    article: str
    words: str
    passage: str
    gloss_en: str

    @property
    def in_tree(self) -> bool:
        """False when the words are quoted at second hand, and must be shown so."""
        return self.instrument.in_tree

    @property
    def citation(self) -> str:
        """Number and article, as printed in a list."""
        if not self.in_tree:
            return f"{self.instrument.number}（原文未收录）"
        return f"{self.instrument.number} {self.article}"


def register(folder: Path) -> Mapping[str, Clause]:
    """All clauses of `folder`, one instrument a file, by key `<file stem>/<clause>`."""
    return _register(folder, folder.stat().st_mtime_ns if folder.is_dir() else 0)


@lru_cache(64)  # drafts are read from a folder of their own each time
def _register(folder: Path, _: int) -> Mapping[str, Clause]:
    clauses: dict[str, Clause] = {}
    for path in sorted(folder.glob("*.toml")):
        name = f"{folder.name}/{path.name}"
        tables = validated(ClauseFile, read_toml(path, name), name)
        document = tables.instrument
        instrument = Instrument(
            id=path.stem,
            title=document.title,
            title_en=document.title_en,
            number=document.number,
            issuer=document.issuer,
            dated=document.dated,
            effective_from=document.effective_from,
            effective_to=document.effective_to,
            effective_note=document.effective_note,
            in_tree=document.source_text != NOT_IN_TREE,
        )
        for title, clause in tables.clauses.items():
            passage = tables.passages[clause.passage] if clause.passage else clause.words
            key = f"{path.stem}/{title}"
            clauses[key] = Clause(
                key, instrument, clause.article, clause.words, passage, clause.gloss_en
            )
    if not clauses:
        raise PackError(f"{folder.name}: no clause files")
    return clauses
