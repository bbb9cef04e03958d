"""The list of addresses names every page, so that axe and the screenshots miss none."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import jinja2
import pytest

from app.console import PAGES
from app.console.page import TEMPLATES, ConsoleRoute
from tests.e2e.pages import addresses
from tests.e2e.site import PASSWORD, Site

ANSWERS_OTHERWISE = {
    "/console/login/second",  # leads to the login until the password was right
    "/console/login/sign-on",  # leads elsewhere, where a sign-on service is set up
    "/console/login/sign-on/back",
    "/console/language/{code}",  # leads back to where one was
    "/console/findings/{finding_id}",  # leads to the sitting; of a class it is a page, and listed
    "/console/photo-accesses/{access_id}.jpg",
    "/console/photo-accesses/{access_id}/small.jpg",
    "/console/static/{name}",
    "/console/people/{person_id}/file.{ext}",
    "/public/funds.csv",
    "/console/county/{county}/{report}.{ext}",
    "/console/audit.csv",
    "/console/cases/{case_id}/files/{note_id}",  # a file to be saved
    "/console/classes/{class_id}/systems/{system}/{table}.{ext}",
    "/console/classes/{class_id}/tables/{kind}.xlsx",  # a template to fill in
    "/console/courses/template.xlsx",
    "/console/courses/read",  # leads to the form that a table was read into
}

# Any address may answer with the first two; the last one is seen in test_second_factor.py.
NO_PAGE_OF_ITS_OWN = {"refusal.html", "own_gone.html", "second_step.html"}


def routes() -> Iterator[str]:
    for part in PAGES:
        for route in part.router.routes:
            if isinstance(route, ConsoleRoute) and "GET" in (route.methods or ()):
                yield route.path


def test_every_page_is_listed_with_an_address(site: Site) -> None:
    listed = {it.route for it in addresses(site.services).values()}
    assert set(routes()) - ANSWERS_OTHERWISE == listed - ANSWERS_OTHERWISE


def test_every_template_is_seen_at_one_of_the_addresses(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, load = set(), jinja2.Environment.get_template

    def get_template(self: jinja2.Environment, name: str, *others: object) -> jinja2.Template:
        seen.add(name)
        return load(self, name, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(jinja2.Environment, "get_template", get_template)
    for who, visit in visits(site).items():
        with httpx2.Client(base_url=site.url) as client:
            if who:
                form = {"username": who, "password": PASSWORD}
                token = client.get("/console/login") and client.cookies["zhenxue_form"]
                client.post("/console/login", data=form | {"csrf": token})
            for path in visit:
                assert client.get(path.partition("#")[0]).status_code == 200, path
    there = {it.name for it in TEMPLATES.glob("*.html") if "extends" in it.read_text("utf-8")}
    assert there - seen == NO_PAGE_OF_ITS_OWN


def visits(site: Site) -> dict[str, list[str]]:
    """The addresses by who opens them."""
    found: dict[str, list[str]] = {}
    for address in addresses(site.services).values():
        found.setdefault(address.who, []).append(address.path)
    return found
