"""The lock: a published pack cannot change, a changed pack cannot keep its version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.domain.policy.pack_schema import PackError, read_toml
from app.domain.policy.packs import FOLDER, Shelves, clauses_for, load, shelves, versions

LOCK = "packs.lock"

_HEADER = """\
# Digest of every published pack. Written by `zhenxue pack check --publish`, which only adds lines.
# A line here means: verdicts may stand on these numbers. To change a rule, write a new version.
"""


@dataclass(frozen=True, slots=True)
class LockProblem:
    """Something `pack check` found: `code` for machines, `detail` in one line for people."""

    code: str
    pack: str
    detail: str


def check(folder: Path | None = None) -> list[LockProblem]:
    """What is wrong with the packs of `folder`, or of all folders, against the lock beside them;
    empty when all is well.

    Codes: `invalid`, `changed`, `missing`, `unpublished`.
    """
    where = shelves(folder)
    found = [problem for it in where for problem in _check(it, where)]
    try:
        clauses_for(None, where)
    except PackError as error:
        told = {it.detail for it in found}
        lines = [it for it in error.problems if it not in told]
        found += [LockProblem("invalid", "clauses", it) for it in lines]
    return found


def _check(folder: Path, where: Shelves) -> list[LockProblem]:
    found: list[LockProblem] = []
    locked = read_lock(folder)
    digests, problems = _digests(folder, where)
    found += problems
    invalid = {problem.pack for problem in problems}
    for name, digest in locked.items():
        if name in invalid:
            continue
        if name not in digests:
            found.append(LockProblem("missing", name, f"{name} is published, and its file is gone"))
        elif digests[name] != digest:
            detail = (
                f"{name} is published with digest {digest[:12]} and now has {digests[name][:12]}: "
                "restore it, and put the change into a new version"
            )
            found.append(LockProblem("changed", name, detail))
    found += [
        LockProblem("unpublished", name, f"{name} is not in {LOCK}: `zhenxue pack check --publish`")
        for name in digests
        if name not in locked
    ]
    return found


def publish(folder: Path | None = None) -> list[str]:
    """Add the digests of new pack versions to the lock of their folder; the names added. Old lines
    stay.

    PackError, and nothing written to a folder, when any pack of it is invalid.
    """
    where = shelves(folder)
    return [name for it in where for name in _publish(it, where)]


def publish_beside(folder: Path) -> list[str]:
    """The same for one of the folders, whose packs may extend those of the others."""
    return _publish(folder, shelves())


def _publish(folder: Path, where: Shelves) -> list[str]:
    locked = read_lock(folder)
    digests, problems = _digests(folder, where)
    if problems:
        raise PackError(*(problem.detail for problem in problems))
    new = sorted(digests.keys() - locked.keys())
    if new:
        lines = locked | {name: digests[name] for name in new}
        text = "".join(f'"{name}" = "{lines[name]}"\n' for name in sorted(lines))
        (folder / LOCK).write_text(_HEADER + text, "utf-8")
    return new


def read_lock(folder: Path = FOLDER) -> dict[str, str]:
    """Digest by pack name (`id@version`); empty without a lock file."""
    path = folder / LOCK
    if not path.exists():
        return {}
    lines = read_toml(path, LOCK)
    wrong = [
        f"{LOCK}: {name}: must be the 64 hex digits of a sha256"
        for name, digest in lines.items()
        if not re.fullmatch(r"[0-9a-f]{64}", str(digest))
    ]
    if wrong:
        raise PackError(*wrong)
    return lines


def _digests(folder: Path, where: Shelves) -> tuple[dict[str, str], list[LockProblem]]:
    """The packs whose files stand in `folder`."""
    digests: dict[str, str] = {}
    problems: list[LockProblem] = []
    alone = where[0] if len(where) == 1 else None
    own = {path.stem.partition("@")[0] for path in folder.glob("*@*.toml")}
    for pack_id, known in versions(alone).items():
        for version in known if pack_id in own else ():
            name = f"{pack_id}@{version}"
            try:
                digests[name] = load(pack_id, version, folder=alone).digest
            except PackError as error:
                problems += [LockProblem("invalid", name, line) for line in error.problems]
    return digests, problems
