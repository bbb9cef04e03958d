"""Model files that are worth fetching, and those that a site has installed.

Nothing is downloaded: somebody fetches the files where they are published, carries them to the
site, and `zhenxue models install` takes those whose SHA-256 is the recorded one, under whatever
name they arrive.
"""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import msgspec

from app.vision.errors import ModelFileRejected
from app.vision.model_card import CARDS
from app.vision.model_files import BackendFiles, ModelFile

_CATALOGUE = Path(__file__).parent / "recommended_models.toml"
_IN_FORCE = "in-force.json"


class ModelRole(StrEnum):
    """What a model does for a face reader; the default of each needs no file."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"
    ANTI_SPOOF = "anti_spoof"


class PublishedFile(msgspec.Struct, frozen=True):
    name: str
    bytes: int
    sha256: str  # hex


class RecommendedModel(msgspec.Struct, frozen=True):
    """A model of other people: who says that it may be used, and what it was trained on."""

    name: str
    role: ModelRole
    zh: str
    en: str
    licence: str
    published: str
    provenance: str
    file: list[PublishedFile]
    card: str | None = None  # a file of `cards/`


class InstalledModel(msgspec.Struct, frozen=True):
    """What decides for one role: the files, in the order that the role wants them."""

    name: str
    files: list[tuple[str, str]]  # path below the folder, SHA-256
    card: tuple[str, str] | None = None


def recommended() -> list[RecommendedModel]:
    """The catalogue, in the order that it is worth fetching."""
    catalogue = tomllib.loads(_CATALOGUE.read_text("utf-8"))
    return msgspec.convert(catalogue["model"], list[RecommendedModel])


class InstalledModels:
    """The models of a site, in `folder`; what is configured by path comes before them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def in_force(self) -> dict[ModelRole, InstalledModel]:
        """By role. Raises ModelFileRejected when the list of them cannot be read."""
        try:
            listed = (self.folder / _IN_FORCE).read_bytes()
            return msgspec.json.decode(listed, type=dict[ModelRole, InstalledModel])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as wrong:
            raise ModelFileRejected(f"{self.folder / _IN_FORCE}: {wrong}") from wrong

    def completing(self, configured: BackendFiles) -> BackendFiles:
        """``configured``, and for each role that it leaves open the installed model."""
        try:
            found = self.in_force()
        except ModelFileRejected as unreadable:
            return replace(configured, unknown=str(unreadable))
        files = configured
        if files.yunet is None and ModelRole.DETECTOR in found:
            files = replace(files, yunet=self._files(found[ModelRole.DETECTOR])[0])
        if files.embedder is None and files.embedder_card is None and ModelRole.EMBEDDER in found:
            model = found[ModelRole.EMBEDDER]
            assert model.card is not None
            card = self._file(*model.card)
            files = replace(files, embedder=self._files(model)[0], embedder_card=card)
        if not files.anti_spoof and ModelRole.ANTI_SPOOF in found:
            files = replace(files, anti_spoof=tuple(self._files(found[ModelRole.ANTI_SPOOF])))
        return files

    def install(self, model: RecommendedModel, source: Path) -> InstalledModel:
        """Take the model's files from ``source``, a file or a folder of whatever names, and put it
        in force. Raises ModelFileRejected naming what is missing; then nothing has changed."""
        found = _by_sha256(source, {it.sha256: it.bytes for it in model.file})
        missing = [it for it in model.file if it.sha256 not in found]
        if missing:
            told = ", ".join(f"{it.name} (SHA-256 {it.sha256})" for it in missing)
            raise ModelFileRejected(f"{source} does not hold {told}")
        home = self.folder / model.name
        home.mkdir(parents=True, exist_ok=True)
        for it in model.file:
            shutil.copyfile(found[it.sha256], home / it.name)
        files = [(f"{model.name}/{it.name}", it.sha256) for it in model.file]
        card = None if model.card is None else self._copied(CARDS / model.card, home)
        installed = InstalledModel(model.name, files, card)
        self._put_in_force(model.role, installed)
        return installed

    def use(self, network: Path, card: Path, name: str) -> InstalledModel:
        """Put an embedder of the site's own choice in force, with its card."""
        home = self.folder / name
        home.mkdir(parents=True, exist_ok=True)
        installed = InstalledModel(name, [self._copied(network, home)], self._copied(card, home))
        self._put_in_force(ModelRole.EMBEDDER, installed)
        return installed

    def remove(self, role: ModelRole) -> InstalledModel | None:
        """Let the default decide for a role again: what decided before. Files stay."""
        left = self.in_force()
        removed = left.pop(role, None)
        if removed is not None:
            self._write(left)
        return removed

    def _put_in_force(self, role: ModelRole, model: InstalledModel) -> None:
        self._write({**self.in_force(), role: model})

    def _write(self, models: dict[ModelRole, InstalledModel]) -> None:
        new = self.folder / f"{_IN_FORCE}.new"
        new.write_bytes(msgspec.json.format(msgspec.json.encode(models)))
        new.replace(self.folder / _IN_FORCE)

    def _copied(self, file: Path, home: Path) -> tuple[str, str]:
        placed = home / file.name
        if file.resolve() != placed.resolve():
            shutil.copyfile(file, placed)
        return f"{home.name}/{file.name}", sha256_of(placed)

    def _files(self, model: InstalledModel) -> list[ModelFile]:
        return [self._file(*each) for each in model.files]

    def _file(self, path: str, sha256: str) -> ModelFile:
        return ModelFile(self.folder / path, sha256)


def sha256_of(file: Path) -> str:
    """Hex. Raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _by_sha256(source: Path, wanted: dict[str, int]) -> dict[str, Path]:
    """Files below ``source`` by the SHA-256 that is wanted; only those of a wanted size are read.
    Raises ModelFileRejected when there is no such place."""
    sizes = set(wanted.values())
    found = {}
    for file in _files_below(source):
        if file.stat().st_size in sizes and (sha256 := sha256_of(file)) in wanted:
            found[sha256] = file
    return found


def _files_below(source: Path) -> Iterator[Path]:
    if not source.exists():
        raise ModelFileRejected(f"{source} is neither a file nor a folder")
    return iter([source]) if source.is_file() else (it for it in source.rglob("*") if it.is_file())
