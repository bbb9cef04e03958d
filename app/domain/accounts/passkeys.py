"""Passkeys (WebAuthn level 2) as a second factor: a key in a person's device or token that signs a
challenge for this service's address and no other, so that a copied page gets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import Connection
from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from app.domain.accounts import second_factors
from app.domain.accounts.second_factors import PASSKEY, Factors
from app.domain.accounts.users import User
from app.errors import BadInput
from app.store.accounts import second_factors as store
from app.vault import Vault

CHALLENGE_BYTES = 32


@dataclass(frozen=True, slots=True)
class PasskeySite:
    """The address that passkeys are bound to, such as `https://zhenxue.example`."""

    origin: str

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def creation_options(self, user: User, has: Factors, challenge: bytes) -> str:
        """What the browser's `credentials.create` wants, as JSON."""
        options = webauthn.generate_registration_options(
            rp_id=self.host,
            rp_name=second_factors.ISSUER,
            user_id=f"zhenxue:{user.id}".encode(),
            user_name=user.username,
            user_display_name=user.display_name,
            challenge=challenge,
            exclude_credentials=_described(has),
            authenticator_selection=AuthenticatorSelectionCriteria(
                user_verification=UserVerificationRequirement.DISCOURAGED  # the password was asked
            ),
        )
        return webauthn.options_to_json(options)

    def request_options(self, has: Factors, challenge: bytes) -> str:
        """What the browser's `credentials.get` wants, as JSON."""
        options = webauthn.generate_authentication_options(
            rp_id=self.host,
            challenge=challenge,
            allow_credentials=_described(has),
            user_verification=UserVerificationRequirement.DISCOURAGED,
        )
        return webauthn.options_to_json(options)

    def add(
        self,
        connection: Connection,
        vault: Vault,
        user: User,
        answer: str,
        challenge: bytes,
        name: str,
        now_ms: int,
    ) -> list[str]:
        """Keep the passkey that a browser made; as `second_factors.add`. Raises BadInput."""
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
            )
        except (WebAuthnException, ValueError) as error:
            raise BadInput("bad_passkey", "the passkey is not one made for this page") from error
        return second_factors.add(
            connection,
            vault,
            user,
            PASSKEY,
            name,
            now_ms,
            secret=made.credential_public_key,
            counter=made.sign_count,
            credential=made.credential_id,
        )

    def accepts(
        self,
        connection: Connection,
        user: User,
        answer: str,
        challenge: bytes,
        made_ms: int,
        now_ms: int,
    ) -> bool:
        """Whether one of the person's passkeys signed this challenge, made then, here and for the
        first time. A key that counts its signatures and counts backwards is a copy."""
        try:
            shown = base64url_to_bytes(parse_authentication_credential_json(answer).id)
            keys = second_factors.of(connection, user.id).passkeys
            row = next(it for it in keys if it.credential == shown)
            proof = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                credential_public_key=row.secret,
                credential_current_sign_count=row.counter,
            )
        except (WebAuthnException, StopIteration, ValueError):
            return False
        if proof.new_sign_count == 0:  # a key that does not count
            return store.touch(connection, row.id, made_ms, now_ms)
        return store.take(connection, row.id, proof.new_sign_count, now_ms)


def _described(has: Factors) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=cast(bytes, it.credential)) for it in has.passkeys]
