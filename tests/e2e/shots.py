"""A picture of every page, in Chinese and in English, from the demo county.

python -m tests.e2e.shots [FOLDER]        (`make screenshots` writes docs/screenshots)
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from app.simulation.county import PLANS
from tests.e2e.conftest import OFFICE_PC, Visitor, found_chromium
from tests.e2e.pages import ADMIN, AUDITOR, CLERK, NOBODY, Address, addresses
from tests.e2e.site import MovingClock, Site, serving, settle

PHONE = {"width": 390, "height": 844}
TALLEST = 2_600  # pixels; what lies below shows nothing new
COLOURS = 200


def take(folder: Path) -> None:
    """Fill a county, open each page as who may, and write FOLDER/NAME-LANGUAGE.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        settle(Path(data), MovingClock(), PLANS)
        with serving(Path(data), MovingClock()) as site, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=found_chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            pages = addresses(site.services)
            time.sleep(5)  # the trial of another pack runs meanwhile
            for language in ("zh", "en"):
                _all(chromium, site, pages, language, folder)


def _all(
    chromium: Browser, site: Site, pages: dict[str, Address], language: str, folder: Path
) -> None:
    people: dict[tuple[str, bool], Page] = {}
    for who, phone in (
        (AUDITOR, False),
        (ADMIN, False),
        (CLERK, False),
        (NOBODY, False),
        (NOBODY, True),
    ):
        context = chromium.new_context(
            viewport=PHONE if phone else OFFICE_PC,  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        visitor = Visitor(context.new_page(), site)
        if who:
            visitor.sign_in(who)
        visitor.open(f"/console/language/{language}")
        people[who, phone] = visitor.page
    for name, address in pages.items():
        page = people[address.who, address.phone]
        answer = page.goto(site.url + address.path)
        assert answer is not None and answer.status == 200, (name, address.path)
        shot = page.screenshot(full_page=True, animations="disabled")
        with Image.open(io.BytesIO(shot)) as opened:
            picture = opened.convert("RGB").crop((0, 0, opened.width, min(opened.height, TALLEST)))
        small = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(folder / f"{name}-{language}.png", optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots"))
