"""Secrets: keys derived from the master key, sealed bytes, keyed hashes, passwords, tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pwdlib import PasswordHash

_passwords = PasswordHash.recommended()


class Unsealable(Exception):
    """The bytes were altered, or belong to another key or purpose."""


class Vault:
    """Everything that needs the master key. One sub-key a purpose, derived with HKDF-SHA256."""

    def __init__(self, master_key: str) -> None:
        self._master = master_key.encode()
        self._id_numbers = self._derive("id-number-hash")

    def _derive(self, purpose: str) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"zhenxue:" + purpose.encode())
        return kdf.derive(self._master)

    def seal(self, data: bytes, purpose: str) -> bytes:
        """AES-256-GCM under the purpose's own key: 12 bytes nonce, then ciphertext and tag."""
        return seal(self._derive(purpose), data, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        return unseal(self._derive(purpose), sealed, purpose.encode())

    def new_learner_key(self) -> tuple[bytes, bytes]:
        """A fresh key for one learner's face data: (key, the key wrapped for storage)."""
        key = secrets.token_bytes(32)
        return key, self.seal(key, "learner-key")

    def unwrap_learner_key(self, wrapped: bytes) -> bytes:
        return self.open(wrapped, "learner-key")

    def id_number_hash(self, id_number: str) -> bytes:
        """Keyed hash by which one person is recognised over accounts and platforms."""
        normal = id_number.strip().upper().encode()
        return hmac.new(self._id_numbers, normal, hashlib.sha256).digest()

    def audit_key(self) -> bytes:
        """What the audit log is sealed with: who can write the database does not have it."""
        return self._derive("audit-log")

    def sign(self, message: bytes, purpose: str) -> bytes:
        return hmac.new(self._derive(purpose), message, hashlib.sha256).digest()


def seal(key: bytes, data: bytes, context: bytes) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, data, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], context)
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
