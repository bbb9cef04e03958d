"""Bodies of verdicts and findings: what earlier versions stored stays readable."""

from __future__ import annotations

import msgspec
import pytest

from app.canonical import canonical
from app.domain.judging import wording
from app.store.bodies import KINDS, Body, FindingBody, HourVerdict, document
from tests import bodies


def test_a_field_that_was_never_set_is_not_written() -> None:
    told = document(bodies.finding())
    absent = {"scope", "subject", "holds", "members", "numbers", "decision", "rival_elsewhere"}
    assert not absent & told.keys()
    assert "rival_session_id" in told and told["rival_session_id"] is None


@pytest.mark.parametrize("measured", [60, 60.0, 0.25])
def test_a_number_is_written_again_as_it_stood(measured: float) -> None:
    line = canonical(bodies.finding(measured=measured))
    assert canonical(msgspec.json.decode(line, type=FindingBody)) == line
    assert f'"measured":{measured},'.encode() in line


def test_a_finding_stored_with_its_sentence_is_told_in_the_words_of_today() -> None:
    old = document(bodies.finding()) | {"sentence": {"zh": "旧", "en": "old"}, "gone": 1}
    told = wording.finding(msgspec.convert(old, FindingBody))
    assert "旧" not in told.sentence.zh and told.sentence.en != "old"


def test_a_class_hour_stored_before_it_said_what_it_withholds_says_nothing_of_it() -> None:
    old = document(bodies.class_hour())
    del old["withheld"]
    read = msgspec.json.decode(msgspec.json.encode(old), type=HourVerdict)
    assert "withheld" not in document(read)


def test_a_reason_stored_with_its_words_keeps_them() -> None:
    said = {"zh": "缺少资料：花名册", "en": "not supplied: roster"}
    reason = {
        "code": "roster_unknown",
        "source": "B11",
        "clause": None,
        "blocks": False,
        "count": 1,
        "cure": {"how": "automatic", "until": None},
        "sentence": said,
    }
    (told,) = wording.enrolment(
        bodies.enrolment(reasons=[reason]), judged_ms=0, today=bodies.TODAY
    ).reasons
    assert (told.sentence.zh, told.sentence.en) == (said["zh"], said["en"])


@pytest.mark.parametrize("kind", [*KINDS, FindingBody], ids=lambda kind: kind.__name__)
def test_every_body_describes_itself(kind: type[Body]) -> None:
    schema = msgspec.json.schema(kind)
    own = schema["$defs"][kind.__name__]
    assert {"facts_sha256", "key"} & set(own["required"])
