"""What runs in learners' browsers, as plain ES modules: `v1/`, the SDK that learning platforms
embed in their lessons, and `enrolment/`, the guided enrolment, which is also a page of its own."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.sdk.bundle import Bundle

FOLDER = Path(__file__).parent / "v1"
ENROLMENT_FOLDER = Path(__file__).parent / "enrolment"
ENTRY = "zhenxue.js"

_player = Bundle(FOLDER, ENTRY)
MODULES, DIGEST = _player.modules, _player.digest
ENROLMENT = Bundle(ENROLMENT_FOLDER, "enrolment.js")
_PAGE = (ENROLMENT_FOLDER / "page.html").read_text(encoding="utf-8")
_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}

router = APIRouter()
router.include_router(_player.router("/sdk/v1"))


@router.get("/sdk/enrolment/", include_in_schema=False)
def enrolment_page() -> HTMLResponse:
    """The same for everybody: whose photos it takes stands in the address, after the `#`."""
    return HTMLResponse(_PAGE.replace("{digest}", ENROLMENT.digest), headers=_PRIVATE)


router.include_router(ENROLMENT.router("/sdk/enrolment"))
