"""The list of addresses names every page, so that axe and the screenshots miss none."""

from __future__ import annotations

from collections.abc import Iterator

from app.console import PAGES
from app.console.page import ConsoleRoute
from tests.e2e.pages import addresses
from tests.e2e.site import Site

ANSWERS_OTHERWISE = {
    "/console/language/{code}",  # leads back to where one was
    "/console/findings/{finding_id}",  # leads to the sitting; of a class it is a page, and listed
    "/console/photo-accesses/{access_id}.jpg",
    "/console/photo-accesses/{access_id}/small.jpg",
    "/console/static/{name}",
}


def routes() -> Iterator[str]:
    for part in PAGES:
        for route in part.router.routes:
            if isinstance(route, ConsoleRoute) and "GET" in (route.methods or ()):
                yield route.path


def test_every_page_is_listed_with_an_address(site: Site) -> None:
    listed = {it.route for it in addresses(site.services).values()}
    assert set(routes()) - ANSWERS_OTHERWISE == listed - ANSWERS_OTHERWISE
