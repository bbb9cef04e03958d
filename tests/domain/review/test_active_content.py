"""What a document may hide costs no more to look for than to carry."""

from __future__ import annotations

import io
import zipfile
import zlib
from time import thread_time

import pytest

from app.domain.review import active_content
from app.domain.review.active_content import Locked


def test_streams_in_front_of_all_that_follows_are_unpacked_without_it() -> None:
    one = b"/ObjStm stream\n" + zlib.compress(b"1 0 ")
    began = thread_time()
    assert not active_content.of_pdf(b"%PDF-1.5\n" + one * 150_000)
    assert thread_time() - began < 8


def test_a_document_of_more_elements_than_can_be_looked_through_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for n in range(20):
            made.writestr(f"word/{n}.xml", b"<a>%b</a>" % (b"<b/>" * 400_000))
    began = thread_time()
    with zipfile.ZipFile(packed) as archive, pytest.raises(Locked):
        active_content.of_office(archive)
    assert thread_time() - began < 8


def test_a_long_stream_is_looked_through_to_its_end() -> None:
    packed = zlib.compress(b"1 0 " + bytes(range(256)) * 4_000 + b"/JavaScript ")
    assert active_content.of_pdf(b"%PDF-1.5\n/ObjStm stream\n" + packed + b"\nendstream")
