"""Functions that fit on a page, and the few that read better whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_LINES = 50

LONG = {
    "steps that share a dozen columns, or fall through in the order of the rule": {
        "detectors/assess.py:_hours",
        "detectors/credit.py:_samples",
        "detectors/popup_gap.py:_judged",
        "detectors/popups.py:popups_of",
    },
    "one object or page, its fields named one by one": {
        "app/console/session_page.py:session_view",
        "app/console/stages_page.py:shown",
        "app/simulation/page.py:__init__",
        "app/simulation/portraits/portrait_traits.py:traits",
    },
}


def long_functions() -> Iterator[str]:
    for folder in ("app", "detectors"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno + 1 > MOST_LINES:
                    yield f"{path.relative_to(ROOT)}:{node.name}"


def test_a_function_fits_on_a_page_or_is_named_here_with_why() -> None:
    assert set(long_functions()) == set().union(*LONG.values())
