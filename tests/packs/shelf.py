"""A copy of the shipped packs that a test may damage."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.domain import packs

GRADED, LITERAL = "huangchuan-2021-graded", "huangchuan-2021-literal"


class Shelf:
    def __init__(self, folder: Path) -> None:
        self.folder = shutil.copytree(packs.FOLDER, folder / "packs")

    def edit(self, old: str, new: str, file: str = f"{GRADED}@1.0.0.toml") -> None:
        """Replace `old`, which stands in the file exactly once."""
        path = self.folder / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), "utf-8")

    def add_version(self, pack: str, version: str) -> None:
        """A later version of a pack, alike but for its number."""
        text = (self.folder / f"{pack}@1.0.0.toml").read_text("utf-8")
        text = text.replace('version = "1.0.0"', f'version = "{version}"')
        (self.folder / f"{pack}@{version}.toml").write_text(text, "utf-8")

    def load(self, pack: str = GRADED, version: str | None = None) -> packs.Pack:
        return packs.load(pack, version, folder=self.folder)
