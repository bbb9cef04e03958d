"""How far it is from the login to what people come for: screens, clicks, characters on the way.

python -m tests.e2e.measured [--county FOLDER]    a data folder that is filled already
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from sqlalchemy import select

from app.domain.id_numbers import ID_NUMBER_PURPOSE
from app.services import Services
from app.simulation.county import PLANS
from models import Learner
from tests.e2e.conftest import PATIENCE_MS, chromium_without_windows
from tests.e2e.shots import SIZES
from tests.e2e.site import PASSWORD, MovingClock, Site, serving, settle

_READ = """() => {
    const told = it => it.checkVisibility({ visibilityProperty: true })
        && it.getBoundingClientRect().top < innerHeight;
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    let seen = 0;
    while (walk.nextNode()) {
        const it = walk.currentNode;
        const around = it.parentElement;
        if (around.closest("option, datalist, script, .sr") || !told(around)) continue;
        seen += it.data.replace(/\\s/g, "").length;
    }
    return seen;
}"""


@dataclass
class Way:
    """What somebody passed: pages, clicks (a key that does the same counts too), characters in the
    window of 1366 × 768 of each page where they stopped; what was typed is not counted."""

    page: Page
    screens: int = 0
    clicks: int = 0
    characters: int = 0
    visited: list[str] = field(default_factory=list)

    def arrived(self) -> None:
        """Raises AssertionError where this is none of the console's pages, as after an error."""
        self.page.wait_for_load_state()
        shown = self.page.locator("body").inner_text()
        assert self.page.locator("main").count(), f"{self.page.url}: {shown[:200]}"
        self.screens += 1
        self.characters += self.page.evaluate(_READ)
        self.visited.append(self.page.url.partition("/console")[2])

    def click(self, what: Locator, *, leads_on: bool = False) -> Way:
        if leads_on:
            with self.page.expect_navigation():
                what.click()
            self.clicks += 1
            self.arrived()
        else:
            what.click()
            self.clicks += 1
        return self

    def choose(self, what: Locator, text: str) -> Way:
        what.select_option(text)
        self.clicks += 2
        return self


class Measuring:
    """The walks over one county; each begins at the login page, in a browser of its own."""

    def __init__(self, site: Site, chromium: Browser) -> None:
        self.site, self.chromium = site, chromium

    @contextmanager
    def signed_in(self, who: str) -> Iterator[Way]:
        context = self.chromium.new_context(**SIZES[""], locale="zh-CN")
        context.set_default_timeout(PATIENCE_MS)
        way = Way(context.new_page())
        way.page.goto(self.site.url)
        way.arrived()
        way.page.get_by_label("用户名").fill(who)
        way.page.get_by_label("口令").fill(PASSWORD)
        way.click(way.page.get_by_role("button", name="登录"), leads_on=True)
        yield way
        context.close()

    def worst_case(self) -> Way:
        with self.signed_in("zhao") as way:
            way.click(way.page.get_by_text("从最重要的看起"), leads_on=True)
            _decide(way, "认定")
            expect(way.page.get_by_role("main")).to_contain_text("已决定")
            return way

    def platform_fault(self) -> Way:
        """The second person's part, after which it is settled."""
        with self.signed_in("sun") as way:
            way.click(way.page.get_by_text("从最重要的看起"), leads_on=True)
            _decide(way, "认定")
            expect(way.page.get_by_role("main")).to_contain_text("已办结")
            return way

    def face_case(self) -> Way:
        with self.signed_in("zhao") as way:
            bar = way.page.get_by_role("navigation", name="主导航")
            way.click(bar.get_by_role("link", name="待办"), leads_on=True)
            row = way.page.locator("[data-row]").filter(has_text="参考照片").first
            way.click(row.locator("[data-open]"), leads_on=True)
            way.click(way.page.get_by_role("button", name="打开对照"), leads_on=True)
            way.click(way.page.locator("button[value=other]"), leads_on=True)
            expect(way.page.get_by_role("main")).to_contain_text("决定")
            return way

    def petitioner(self) -> Way:
        number = _number_of_somebody(self.site.services)
        with self.signed_in("zhao") as way:
            find = way.page.get_by_role("searchbox").first
            find.fill(number)
            with way.page.expect_navigation():
                find.press("Enter")
            way.clicks += 1
            way.arrived()
            expect(way.page.get_by_role("main")).to_contain_text(number[-4:])
            return way

    def signed_list(self) -> Way:
        """Both persons: who submits and who signs."""
        with self.signed_in("zhao") as way:
            way.click(way.page.get_by_role("link", name="dianshang-01").last, leads_on=True)
            way.click(way.page.get_by_role("link", name="名单签发").first, leads_on=True)
            way.click(way.page.get_by_role("button", name="送签"), leads_on=True)
        with self.signed_in("sun") as second:
            waiting = second.page.locator("#to-sign").get_by_role("link", name="dianshang-01")
            second.click(waiting, leads_on=True)
            second.click(second.page.get_by_role("button", name="我已核对，签发"), leads_on=True)
            expect(second.page.get_by_role("main")).to_contain_text("已签发")
        way.screens += second.screens
        way.clicks += second.clicks
        way.characters += second.characters
        way.visited += second.visited
        return way


def _decide(way: Way, decision: str) -> None:
    panel = way.page.locator("#decide")
    panel.get_by_text(decision, exact=False).first.click()
    way.clicks += 1
    usual = panel.get_by_label("常用理由")
    text = usual.locator("optgroup[data-for=uphold] option").first.inner_text()
    way.choose(usual, text)
    way.click(way.page.get_by_role("button", name="决定本案"), leads_on=True)


def _number_of_somebody(services: Services) -> str:
    """The ID number of an account of the county, as it stands on the card."""
    with services.database.read() as connection:
        query = select(Learner.id_number_encrypted).order_by(Learner.id).limit(1)
        sealed = connection.scalars(query).one()
    return services.vault.open(sealed or b"", ID_NUMBER_PURPOSE).decode()


WALKS: dict[str, Callable[[Measuring], Way]] = {
    "worst case decided (first person)": Measuring.worst_case,
    "platform fault settled (second person)": Measuring.platform_fault,
    "face case decided (first person)": Measuring.face_case,
    "petitioner found by ID card": Measuring.petitioner,
    "list signed (both persons)": Measuring.signed_list,
}


def measure(site: Site, chromium: Browser) -> dict[str, Way]:
    """Every walk, in order: the second person's comes after the first one's."""
    measuring = Measuring(site, chromium)
    return {name: walk(measuring) for name, walk in WALKS.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--county", type=Path, help="a data folder that is filled already")
    county = parser.parse_args().county
    with tempfile.TemporaryDirectory() as data:
        if county:
            shutil.copytree(county, data, dirs_exist_ok=True)
        else:
            settle(Path(data), MovingClock(), PLANS)
        with serving(Path(data), MovingClock()) as site, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=chromium_without_windows(), args=["--no-sandbox", "--disable-gpu"]
            )
            found = measure(site, chromium)
    print("| from the login to | screens | clicks | characters |\n| --- | ---: | ---: | ---: |")
    for name, way in found.items():
        print(f"| {name} | {way.screens} | {way.clicks} | {way.characters:,} |")


if __name__ == "__main__":
    main()
