"""A published pack cannot change, and a changed pack cannot keep its version."""

from __future__ import annotations

import pytest

from app.domain.policy import pack_lock
from app.domain.policy.pack_schema import PackError
from tests.packs.shelf import GRADED, LITERAL, Shelf

MARGIN = "edge_margin_s = { value = 60", "edge_margin_s = { value = 45"


def codes(shelf: Shelf) -> list[tuple[str, str]]:
    return [(problem.code, problem.pack) for problem in pack_lock.check(shelf.folder)]


def test_the_shipped_packs_stand_as_published() -> None:
    assert pack_lock.check() == []


def test_a_tampered_pack_is_found_and_so_is_the_one_that_extends_it(shelf: Shelf) -> None:
    shelf.edit(*MARGIN)
    assert codes(shelf) == [("changed", f"{GRADED}@1.0.0"), ("changed", f"{LITERAL}@1.0.0")]


def test_publishing_does_not_bless_a_changed_pack(shelf: Shelf) -> None:
    shelf.edit(*MARGIN)
    assert pack_lock.publish(shelf.folder) == []
    assert ("changed", f"{GRADED}@1.0.0") in codes(shelf)


def test_changed_words_of_a_clause_change_the_packs_that_cite_it(shelf: Shelf) -> None:
    shelf.edit('words = "提前3天提出"', 'words = "提前3天"', "clauses/huangchuan-2021.toml")
    assert {code for code, _ in codes(shelf)} == {"invalid"}


def test_a_better_gloss_changes_no_published_pack(shelf: Shelf) -> None:
    file = "clauses/huangchuan-2021.toml"
    shelf.edit('"to be submitted 3 days ahead"', '"to be submitted three days before"', file)
    assert codes(shelf) == []


def test_a_new_version_is_unpublished_until_it_is_published(shelf: Shelf) -> None:
    shelf.add_version(GRADED, "1.1.0")
    assert codes(shelf) == [("unpublished", f"{GRADED}@1.1.0")]
    before = pack_lock.read_lock(shelf.folder)
    assert pack_lock.publish(shelf.folder) == [f"{GRADED}@1.1.0"]
    assert codes(shelf) == []
    assert pack_lock.read_lock(shelf.folder).items() > before.items()
    assert pack_lock.publish(shelf.folder) == []


def test_a_published_pack_cannot_disappear(shelf: Shelf) -> None:
    (shelf.folder / f"{LITERAL}@1.0.0.toml").unlink()
    assert codes(shelf) == [("missing", f"{LITERAL}@1.0.0")]


def test_nothing_is_published_while_a_pack_is_invalid(shelf: Shelf) -> None:
    shelf.add_version(GRADED, "1.1.0")
    shelf.edit("[checks.B24]", "[checks.popup_gap]")
    with pytest.raises(PackError):
        pack_lock.publish(shelf.folder)
    assert f"{GRADED}@1.1.0" not in pack_lock.read_lock(shelf.folder)


def test_a_lock_line_without_a_digest_is_refused(shelf: Shelf) -> None:
    lock = shelf.folder / pack_lock.LOCK
    lock.write_text(f'"{GRADED}@1.0.0" = "any"\n', "utf-8")
    with pytest.raises(PackError, match="must be the 64 hex digits of a sha256"):
        pack_lock.check(shelf.folder)
