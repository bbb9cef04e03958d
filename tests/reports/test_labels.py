"""Lists and console call the same thing by the same name."""

from __future__ import annotations

import app.main  # noqa: F401  the console is loaded as the service loads it
from app.console import labels as console
from app.reports import labels


def test_lists_use_the_console_s_words() -> None:
    for name in (it for it in vars(labels) if it.isupper()):
        told = {code: label.text for code, label in getattr(console, name).items()}
        assert getattr(labels, name) == told, name
