"""A passkey's answer opens one login, also of a key that does not count its signatures."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url, encode_cbor

from app.domain.accounts import users
from app.store.accounts import second_factors as store
from tests.console.conftest import Clock, Desk
from tests.console.test_second_factor import gives_password, is_in

NewDesk = Callable[[], Desk]
OPTIONS = re.compile(r'data-options="([^"]+)"')
HERE = "http://testserver"


@dataclass
class PhoneKey:
    """A passkey as phones keep them: it is on several devices, so its counter stands at zero."""

    private = generate_private_key(SECP256R1())
    name: bytes = field(default=b"a passkey of a phone")

    def belongs_to(self, desk: Desk, username: str) -> None:
        point = self.private.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        with desk.services.database.write() as connection:
            store.add(
                connection,
                user_id=users.named(connection, username).id,
                kind="passkey",
                name="手机",
                secret=encode_cbor(public),
                credential=self.name,
                counter=0,
                created_ms=desk.clock.now_ms,
            )

    def answers(self, page: str) -> str:
        """What the browser sends to the challenge on this page."""
        found = OPTIONS.search(page)
        assert found
        challenge = json.loads(html.unescape(found[1]))["challenge"]
        said = {"type": "webauthn.get", "challenge": challenge, "origin": HERE}
        client = json.dumps(said).encode()
        shown = hashlib.sha256(b"testserver").digest() + b"\x01" + bytes(4)
        signature = self.private.sign(shown + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": shown, "signature": signature}
        name = bytes_to_base64url(self.name)
        response = {key: bytes_to_base64url(value) for key, value in parts.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def test_an_answer_that_was_seen_on_its_way_opens_no_second_login(
    desk: Desk, new_desk: NewDesk, clock: Clock
) -> None:
    key = PhoneKey()
    key.belongs_to(desk, "zhao")
    gives_password(zhao := new_desk())
    page = zhao.get("/console/login/second")
    form = {"csrf": zhao.csrf("/console/login/second"), "answer": key.answers(page)}
    thief = new_desk()
    thief.client.cookies.update(zhao.client.cookies)
    clock.now_ms += 5_000
    zhao.client.post("/console/login/second", data=form)
    assert is_in(zhao)
    clock.now_ms += 5_000
    assert thief.client.post("/console/login/second", data=form).status_code == 401
    assert not is_in(thief)
    gives_password(later := new_desk())
    answer = key.answers(later.get("/console/login/second"))
    form = {"csrf": later.csrf("/console/login/second"), "answer": answer}
    later.client.post("/console/login/second", data=form)
    assert is_in(later), "a new challenge is another matter"
