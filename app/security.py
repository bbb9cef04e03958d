"""Secrets: the master key, sealed bytes and keyed hashes, passwords, tokens.

The keys of single purposes, and how they follow one another, are in `app/vault.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pwdlib import PasswordHash

_passwords = PasswordHash.recommended()
_NONCE, _TAG, _SM4_KEY = 12, 16, 16


class Unsealable(Exception):
    """The bytes were altered, or belong to another key or purpose."""


class Suite(StrEnum):
    """By which algorithms a key works.

    international  AES-256-GCM, HMAC-SHA256
    national       SM4-GCM (GB/T 32907), HMAC-SM3 (GB/T 32905): 国密
    """

    INTERNATIONAL = "international"
    NATIONAL = "national"

    @property
    def key_bytes(self) -> int:
        """Of a key that data is sealed with."""
        return _SM4_KEY if self is Suite.NATIONAL else 32

    def mac(self, key: bytes, message: bytes) -> bytes:
        """32 bytes by either."""
        if self is Suite.INTERNATIONAL:
            return hmac.new(key, message, hashlib.sha256).digest()
        made = HMAC(key, hashes.SM3())
        made.update(message)
        return made.finalize()

    def seal(self, key: bytes, data: bytes, context: bytes) -> bytes:
        return seal(key[: self.key_bytes], data, context)

    def open(self, key: bytes, sealed: bytes, context: bytes) -> bytes:
        return unseal(key[: self.key_bytes], sealed, context)


class MasterKey:
    """What the installation's other keys are derived from, or wrapped by."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fingerprint = self.derive("fingerprint")[:8].hex()

    def derive(self, purpose: str, suite: Suite = Suite.INTERNATIONAL) -> bytes:
        digest = hashes.SM3() if suite is Suite.NATIONAL else hashes.SHA256()
        kdf = HKDF(algorithm=digest, length=32, salt=None, info=b"zhenxue:" + purpose.encode())
        return kdf.derive(self.text.encode())

    def wrap(self, key: bytes, name: str, suite: Suite) -> bytes:
        return suite.seal(self.derive("keys", suite), key, name.encode())

    def unwrap(self, wrapped: bytes, name: str, suite: Suite) -> bytes:
        """Raises Unsealable."""
        return suite.open(self.derive("keys", suite), wrapped, name.encode())


class LearnersKey(bytes):
    """A learner's key; and, while it is exchanged, the `other` that some of it may lie under."""

    other: bytes | None = None

    @classmethod
    def of(cls, key: bytes, other: bytes | None) -> LearnersKey:
        made = cls(key)
        made.other = other
        return made


def seal(key: bytes, data: bytes, context: bytes) -> bytes:
    """12 bytes nonce, then ciphertext and tag: AES-GCM by a key of 32 bytes, SM4-GCM by one of 16.
    `context` has to be the same when it is opened."""
    nonce = secrets.token_bytes(_NONCE)
    if len(key) != _SM4_KEY:
        return nonce + AESGCM(key).encrypt(nonce, data, context)
    cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(context)
    return nonce + cipher.update(data) + cipher.finalize() + cipher.tag


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """By a learner's key or its other one. Raises Unsealable."""
    try:
        return _unseal(key, sealed, context)
    except Unsealable:
        if isinstance(key, LearnersKey) and key.other is not None:
            return _unseal(key.other, sealed, context)
        raise


def _unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    nonce = sealed[:_NONCE]
    try:
        if len(key) != _SM4_KEY:
            return AESGCM(key).decrypt(nonce, sealed[_NONCE:], context)
        cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
        cipher.authenticate_additional_data(context)
        return cipher.update(sealed[_NONCE:-_TAG]) + cipher.finalize()
    except (InvalidTag, ValueError) as error:
        raise Unsealable("sealed bytes do not open with this key") from error


def new_token(prefix: str) -> str:
    """A secret to hand out once, e.g. `zx_…`: 256 bits."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_digest(token: str) -> bytes:
    """What is stored of a high-entropy token: its plain SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def hash_password(password: str) -> str:
    return _passwords.hash(password)


def password_matches(password: str, hashed: str) -> bool:
    return _passwords.verify(password, hashed)
