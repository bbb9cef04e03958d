"""What every page must be for people of fifty: nothing smaller than 14 px, and at 150 % in the
browser or on a small phone nothing that runs off the screen, is cut, or is set letter by letter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

LEAST_PX = 14
ZOOMED: dict[str, Any] = {  # an office screen of 1366 × 768 at 150 %
    "viewport": {"width": 911, "height": 512},
    "device_scale_factor": 1.5,
}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
_SMALL = """least => {
    const small = new Map();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const it = walk.currentNode.parentElement, style = getComputedStyle(it);
        if (!walk.currentNode.data.trim() || it.closest(".sr, .unseen, .skip, style, option")
            || style.visibility === "hidden" || !it.getClientRects().length) continue;
        const matrix = it instanceof SVGElement && it.getScreenCTM?.();
        const px = parseFloat(style.fontSize) * (matrix ? Math.hypot(matrix.a, matrix.b) : 1);
        if (px < least - 0.05)
            small.set(`${it.tagName} ${it.getAttribute("class") ?? ""} ${px.toFixed(1)}px`,
                      walk.currentNode.data.trim().slice(0, 24));
    }
    return [...small].map(it => it.join(": "));
}"""
_OFF = """() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const found = wide > 0 ? [`the page is ${wide} px too wide`] : [];
    for (const it of document.querySelectorAll("main *, header *")) {
        const style = getComputedStyle(it), box = it.getBoundingClientRect();
        if (!box.width || it.closest(".scroll, .sr, .unseen, .skip, svg")
            || it.closest("details:not([open]) > :not(summary)")) continue;
        if (box.right > document.documentElement.clientWidth + 1)
            found.push(`${it.tagName}.${it.className} ends at ${Math.round(box.right)}`);
        if (["hidden", "clip"].includes(style.overflowX) && it.scrollWidth > it.clientWidth + 1
            && style.textOverflow !== "ellipsis")
            found.push(`${it.tagName}.${it.className} is cut: ${it.innerText.slice(0, 24)}`);
    }
    return found.slice(0, 5);
}"""
# A cell in which hardly a word has room beside the next one, and which has a lot to say.
_SQUEEZED = """() => [...document.querySelectorAll("td, td > div, td > a")]
    .filter(it => it.getClientRects().length && it.clientWidth && it.clientWidth < 48
        && it.innerText.replace(/\\s/g, "").length > 11)
    .map(it => `${it.innerText.slice(0, 24)} stands in ${it.clientWidth} px`).slice(0, 3)"""


def complaints(page: Page) -> Iterator[str]:
    """What is too small on the page, runs off it, is cut, or has no room."""
    yield from page.evaluate(_SMALL, LEAST_PX)
    yield from page.evaluate(_OFF)
    yield from page.evaluate(_SQUEEZED)
