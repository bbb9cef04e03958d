"""A picture of every page, in Chinese and in English, from the demo county.

python -m tests.e2e.shots [FOLDER] [--size 150] [--size phone]

`make screenshots` writes those of docs/screenshots.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from app.simulation.county import PLANS
from tests.e2e.conftest import OFFICE_PC, PATIENCE_MS, Visitor, found_chromium
from tests.e2e.pages import Address, addresses
from tests.e2e.site import MovingClock, Site, serving, settle

SIZES: dict[str, dict[str, Any]] = {
    "": {"viewport": OFFICE_PC},
    "150": {"viewport": {"width": 911, "height": 512}, "device_scale_factor": 1.5},  # browser zoom
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 3,
        "is_mobile": True,
        "has_touch": True,
    },
}
PATIENT_MS = 10 * PATIENCE_MS  # nobody waits for it, and another pack is tried meanwhile
TALLEST = 2_600  # pixels; what lies below shows nothing new
COLOURS = 200


def take(folder: Path, sizes: Sequence[str] = ("",), county: Path | None = None) -> None:
    """Fill a county, open each page as who may, and write FOLDER/NAME-LANGUAGE.png, at other sizes
    than the office's NAME-LANGUAGE-SIZE.png. `county` is a data folder, which is filled where
    nothing is in it: a run that failed half-way need not fill it anew."""
    folder.mkdir(parents=True, exist_ok=True)
    # What is at work still when a page fails must not hide why.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data:
        if county and not (county.exists() and any(county.iterdir())):
            settle(county, MovingClock(), PLANS)
        if county:
            shutil.copytree(county, data, dirs_exist_ok=True)
        else:
            settle(Path(data), MovingClock(), PLANS)
        with serving(Path(data), MovingClock()) as site, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=found_chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            pages = addresses(site.services)
            time.sleep(5)  # the trial of another pack runs meanwhile
            for size in sizes:
                for language in ("zh", "en"):
                    _all(chromium, site, pages, language, size, folder)


def _all(
    chromium: Browser,
    site: Site,
    pages: dict[str, Address],
    language: str,
    size: str,
    folder: Path,
) -> None:
    people: dict[tuple[str, bool], Page] = {}
    for who, phone in {(it.who, it.phone) for it in pages.values()}:
        context = chromium.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", **SIZES["phone" if phone else size]
        )
        context.set_default_timeout(PATIENT_MS)
        visitor = Visitor(context.new_page(), site)
        if who:
            visitor.sign_in(who)
        visitor.open(f"/console/language/{language}")
        people[who, phone] = visitor.page
    for name, address in pages.items():
        page = people[address.who, address.phone]
        answer = page.goto(site.url + address.path)
        assert answer is not None and answer.status == 200, (name, address.path)
        shot = page.screenshot(full_page=True, animations="disabled", scale="css")
        with Image.open(io.BytesIO(shot)) as opened:
            picture = opened.convert("RGB").crop((0, 0, opened.width, min(opened.height, TALLEST)))
        small = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(folder / f"{name}-{language}{size and '-' + size}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/screenshots"))
    parser.add_argument("--size", action="append", choices=list(SIZES), help="'' is the office's")
    parser.add_argument("--county", type=Path, help="a data folder; filled where not there")
    asked = parser.parse_args()
    take(asked.folder, asked.size or ("",), asked.county)


if __name__ == "__main__":
    main()
