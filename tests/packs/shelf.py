"""A copy of the first version of the shipped packs, with its lock, that a test may damage.

Later versions stay behind: publishing one changes no test here.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from app.domain.policy import packs

GRADED, LITERAL = "huangchuan-2021-graded", "huangchuan-2021-literal"


class Shelf:
    def __init__(self, folder: Path) -> None:
        later = [it.name for it in packs.FOLDER.glob("*@*.toml") if not it.stem.endswith("@1.0.0")]
        ignored = shutil.ignore_patterns(*later)
        self.folder = shutil.copytree(packs.FOLDER, folder / "packs", ignore=ignored)
        lock = self.folder / "packs.lock"
        lines = lock.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if "@" not in line or "@1.0.0" in line]
        lock.write_text("".join(kept), "utf-8")

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
