"""What has to be there for each language that the service speaks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import app
from app.console.language import LOCALES as CATALOGUES
from app.console.language import language
from app.domain.policy.pack_schema import TextTable
from app.languages import CODES, FIRST, LOCALES, Locale, Text, locale_of
from detectors.control_kinds import ControlKind
from detectors.event_types import EVENT_TYPES

SDK = Path(app.__file__).parent / "sdk/v1/texts.js"


def test_chinese_is_first_and_stands_in_for_what_nobody_speaks() -> None:
    assert FIRST.code == "zh"
    assert {locale_of(code) for code in ("", "fr", "EN", None)} == {FIRST}
    assert [locale_of(code).code for code in CODES] == [*CODES]


def test_a_text_has_a_field_for_each_language_in_their_order() -> None:
    assert Text.__struct_fields__ == CODES
    assert {*CODES} <= {*TextTable.model_fields}


@pytest.mark.parametrize("locale", LOCALES, ids=CODES)
def test_the_console_has_a_catalogue_for_each_language(locale: Locale) -> None:
    assert (CATALOGUES / locale.folder / "LC_MESSAGES" / "console.po").is_file()
    assert (language(locale.code).code, language(locale.code).tag) == (locale.code, locale.tag)


@pytest.mark.parametrize("code", CODES)
def test_the_sdk_has_texts_in_each_language(code: str) -> None:
    assert re.search(rf"export const {code}\b", SDK.read_text("utf-8"))


@pytest.mark.parametrize("code", CODES)
def test_controls_and_events_are_named_in_each_language(code: str) -> None:
    assert all(getattr(it, code) for it in (*ControlKind, *EVENT_TYPES))
