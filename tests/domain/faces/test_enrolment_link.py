"""A token hands in photos of one learner for a while; any other text opens nothing."""

from __future__ import annotations

import pytest

from app.domain.faces import enrolment_link
from app.domain.faces.enrolment_link import EnrolmentLink
from app.errors import NotSignedIn
from app.vault import Vault

VAULT = Vault("a key of a test, long enough to be one")
LINK = EnrolmentLink(learner_id=7, issued_ms=1_760_000_000_000, minutes=30)
TOKEN = enrolment_link._token(VAULT, LINK)


def test_a_token_is_good_until_its_last_minute_is_over() -> None:
    assert enrolment_link.read(VAULT, TOKEN, LINK.issued_ms) == LINK
    assert enrolment_link.read(VAULT, TOKEN, LINK.expires_ms - 1) == LINK
    with pytest.raises(NotSignedIn):
        enrolment_link.read(VAULT, TOKEN, LINK.expires_ms)


@pytest.mark.parametrize(
    ("old", "new"),
    [("ze7-", "ze8-"), ("-30_", "-99_"), ("1760000000000", "1770000000000"), ("ze", "zf")],
    ids=["another learner", "longer", "later", "another kind"],
)
def test_a_token_that_was_altered_opens_nothing(old: str, new: str) -> None:
    with pytest.raises(NotSignedIn):
        enrolment_link.read(VAULT, TOKEN.replace(old, new, 1), LINK.issued_ms)


def test_a_token_of_another_installation_opens_nothing() -> None:
    other = Vault("a key of another test, long enough to be one")
    with pytest.raises(NotSignedIn):
        enrolment_link.read(other, TOKEN, LINK.issued_ms)
