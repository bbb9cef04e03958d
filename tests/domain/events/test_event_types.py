"""Types of events stand in one registry, from the wire to the page that shows them."""

from __future__ import annotations

from typing import get_args

import pytest

from app.console import labels
from app.console.language import language
from app.domain.events.events import AnyEvent, Event
from app.languages import LOCALES
from detectors.event_types import EVENT_TYPES, EventType
from detectors.trace import Kind


def test_each_number_that_is_stored_has_one_entry() -> None:
    assert [it.kind for it in EVENT_TYPES] == list(Kind)


def test_each_entry_is_read_by_one_struct_and_no_struct_reads_another() -> None:
    structs: tuple[type[Event], ...] = get_args(AnyEvent)
    read = [(it.kind, it.__struct_config__.tag) for it in structs]
    assert sorted(read) == [(it.kind, it.name) for it in EVENT_TYPES]


@pytest.mark.parametrize("it", EVENT_TYPES, ids=lambda it: it.name)
def test_people_read_of_each_type_in_their_language(it: EventType) -> None:
    shown = {
        locale.code: language(locale.code).say(labels.EVENTS[it.name].text) for locale in LOCALES
    }
    assert shown == {"zh": it.zh, "en": it.en}
