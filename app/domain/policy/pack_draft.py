"""A pack that is being written: tried beside the published ones, and put among them at last."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from app.domain.policy import pack_lock, packs
from app.domain.policy.pack import Pack
from app.domain.policy.pack_schema import PackError
from app.errors import BadInput, Conflict

MOST_CHARACTERS = 200_000
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}")


@dataclass(frozen=True, slots=True)
class PackDraft:
    """The text of a pack file and, where it quotes words of its own, that of its clause file."""

    pack_id: str
    version: str
    text: str
    clauses: str = ""

    @property
    def name(self) -> str:
        return f"{self.pack_id}@{self.version}"

    @property
    def clause_file(self) -> str:
        """What the keys of its own clauses begin with: each version has words of its own."""
        return f"{self.pack_id}-{self.version.replace('.', '-')}"

    @property
    def digest(self) -> str:
        """sha256 of what is written, so that nobody publishes what they have not seen."""
        return sha256(json.dumps([self.name, self.text, self.clauses]).encode()).hexdigest()


def check_name(pack_id: str, version: str) -> None:
    """Raises BadInput by the field; Conflict `pack_taken` for the id of a shipped pack, or a
    version that is published."""
    if not _ID.fullmatch(pack_id) or len(pack_id) > 64:
        raise BadInput("bad_pack_id", "pack_id: a-z, 0-9 and single hyphens", field="pack_id")
    if not _VERSION.fullmatch(version):
        raise BadInput("bad_version", "version: three numbers like 1.0.0", field="version")
    shipped = {it.name.partition("@")[0] for it in packs.FOLDER.glob("*@*.toml")}
    if pack_id in shipped or version in packs.readable().get(pack_id, ()):
        raise Conflict("pack_taken", f"{pack_id}@{version} is published, or the product's own")


def begun(base: Pack, pack_id: str, version: str, title: str) -> PackDraft:
    """A draft that says nothing yet but what it extends: it decides as `base` does."""
    said = json.dumps(title, ensure_ascii=False)
    text = (
        "schema = 1\n"
        f'extends = "{base.name}"\n'
        f'id = "{pack_id}"\n'
        f'version = "{version}"\n'
        f"title = {{ zh = {said}, en = {said} }}\n"
    )
    return PackDraft(pack_id, version, text)


def tried(draft: PackDraft) -> Pack:
    """The pack as it would stand beside the published ones. Raises PackError, a line a problem."""
    with TemporaryDirectory(prefix="zhenxue-pack-") as place:
        folder = Path(place) / "packs"
        site = _site()
        if site is None:
            folder.mkdir()
        else:
            shutil.copytree(site, folder)
        _write(folder, draft)
        return packs.load_from(draft.pack_id, draft.version, (packs.FOLDER, folder))


def base_of(draft: PackDraft) -> str:
    """The pack that a draft in good order extends (`<id>@<version>`); empty where none."""
    return str(tomllib.loads(draft.text).get("extends", ""))


def publish(draft: PackDraft) -> str:
    """Put the draft into the site's folder and lock it; the pack's digest.

    Every process finds it there without a restart. Raises Conflict `no_packs_folder` where the site
    has none, `pack_taken` where other words stand under this name, and PackError. The same draft
    twice is once.
    """
    site = _site()
    if site is None:
        raise Conflict("no_packs_folder", "ZHENXUE_PACKS_DIR names no folder for packs of the site")
    there = site / f"{draft.name}.toml"
    if there.exists() and there.read_text("utf-8") != draft.text:
        raise Conflict("pack_taken", f"{draft.name} is published with other words")
    pack = tried(draft)
    _write(site, draft)
    pack_lock.publish_beside(site)
    return pack.digest


def with_parameter(
    draft: PackDraft, table: str, name: str, value: str, clause: str = "", quote: str = ""
) -> PackDraft:
    """The draft with another value for a parameter that its pack has: quoted with `clause` and
    `quote`, the product's default without. Raises BadInput by the field, PackError."""
    pack = tried(draft)
    if table not in pack.table.tables or name not in pack.table.tables[table].parameters:
        raise BadInput("bad_parameter", "parameter: not in this pack", field="parameter")
    known = pack.table.tables[table].parameters[name]
    group = next((it for it in ("rules", "checks") if table in getattr(pack.table, it)), "")
    path = ".".join(filter(None, (group, table, "parameters", name)))
    source = [("source", "quoted"), ("clause", clause), ("quote", quote)]
    told = source if clause or quote else [("source", "default")]
    notes = [("unit", known.unit), *told, ("note_zh", known.note_zh), ("note_en", known.note_en)]
    lines = [f"value = {_value(known.value, value)}"]
    lines += [f"{key} = {json.dumps(said, ensure_ascii=False)}" for key, said in notes]
    block = "\n".join((f"[{path}]", *lines)) + "\n"
    kept = re.sub(rf"(?ms)^\[{re.escape(path)}\]\n.*?(?=^\[|\Z)", "", draft.text)
    text = kept.rstrip("\n") + "\n\n" + block
    changed = PackDraft(draft.pack_id, draft.version, text, draft.clauses)
    if isinstance(known.value, str) and any(f"{path}.value:" in it for it in _wrong(changed)):
        raise BadInput("bad_word", "value: none of the words that it may be", field="value")
    return changed


def _wrong(draft: PackDraft) -> Sequence[str]:
    try:
        tried(draft)
    except PackError as error:
        return error.problems
    return ()


def _value(before: object, said: str) -> str:
    """A typed value in TOML, of the kind that it had before."""
    plain = said.strip()
    if isinstance(before, bool):
        told = {"true": "true", "false": "false", "是": "true", "否": "false"}
        told |= {"yes": "true", "no": "false"}
        if plain.lower() in told:
            return told[plain.lower()]
    elif isinstance(before, str):
        return json.dumps(plain, ensure_ascii=False)
    elif isinstance(before, list | tuple):
        if re.fullmatch(r"\d+(\s*[,，、]\s*\d+)*", plain):
            return f"[{', '.join(re.findall(r'[0-9]+', plain))}]"
    elif re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", plain):
        return plain
    elif isinstance(before, float) and re.fullmatch(r"\d{1,3}(\.\d{1,7})?[%％]", plain):
        return str(float(Decimal(plain[:-1]) / 100))
    raise BadInput("bad_value", "value: of the kind that the parameter has", field="value")


def _site() -> Path | None:
    """The site's own folder of packs."""
    folders = packs.shelves()[1:]
    return folders[0] if folders and folders[0].is_dir() else None


def _write(folder: Path, draft: PackDraft) -> None:
    if draft.clauses.strip():
        (folder / "clauses").mkdir(exist_ok=True)
        _replace(folder / "clauses" / f"{draft.clause_file}.toml", draft.clauses)
    _replace(folder / f"{draft.name}.toml", draft.text)


def _replace(path: Path, text: str) -> None:
    """Write the file whole: nobody reads half of it."""
    beside = path.with_suffix(".part")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)
