"""A class name means one thing in the whole tree."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import app
import detectors

# Another package, that platforms install.
SHIPPED = Path(app.__file__ or "").parent / "sdk" / "server"
ROOTS = [Path(it.__file__ or "").parent for it in (app, detectors)]


def test_no_two_classes_share_a_name() -> None:
    homes = defaultdict(list)
    for root in ROOTS:
        for path in sorted(root.rglob("*.py")):
            if SHIPPED in path.parents:
                continue
            for it in ast.parse(path.read_text("utf-8")).body:
                if isinstance(it, ast.ClassDef):
                    homes[it.name].append(str(path.relative_to(root.parent)))
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}
