"""The languages that people are spoken to in, the first one first.

A new language is an entry here, a field of its code in what holds words (`Text`, and the titles of
packs and rules), a catalogue of the console and the texts of the SDK.
tests/test_languages.py tells what is still missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Locale:
    """`code` is used in URLs, cookies and stored words, `tag` (BCP 47) in pages, `folder` by the
    catalogues; `name` and `short` are the
    language's own for itself."""

    code: str
    tag: str
    folder: str
    name: str
    short: str


LOCALES = (
    Locale("zh", "zh-CN", "zh_CN", "中文", "中文"),
    Locale("en", "en", "en", "English", "EN"),
)
FIRST = LOCALES[0]
CODES = tuple(it.code for it in LOCALES)


def locale_of(code: str | None) -> Locale:
    """The locale of a code; anything unknown is the first."""
    return next((it for it in LOCALES if it.code == code), FIRST)


def said(text: Any, code: str) -> str:
    """What of a text with a field for every language is of that one."""
    words: str = getattr(text, locale_of(code).code)
    return words


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in every language."""

    zh: str
    en: str

    def in_(self, code: str) -> str:
        return said(self, code)


def both(said: str) -> Text:
    """What is said as `zh / en`; the same in both where it is said in one alone."""
    zh, _, en = said.partition(" / ")
    return Text(zh, en or zh)


def told_in_both(detail: str) -> Text | None:
    """The words of a refusal that says them in both languages, as `field: zh / en` or `zh / en`;
    None of any other."""
    named, _, rest = detail.partition(": ")
    zh, slash, en = (rest if rest and " " not in named else detail).partition(" / ")
    return Text(zh, en) if slash and not zh.isascii() else None
