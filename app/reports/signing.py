"""The key that archives are signed with, and what a signature looks like in one."""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.canonical import canonical
from app.vault import SIGNATURES, PurposeKey, Vault

PURPOSE = SIGNATURES
ALGORITHM = "Ed25519"


class BadSignature(Exception):
    """`manifest`: the signature stands, and the manifest is not what was signed."""

    def __init__(self, detail: str, *, manifest: bool = False) -> None:
        super().__init__(detail)
        self.manifest = manifest


class _Signature(msgspec.Struct):
    algorithm: str
    manifest_sha256: str
    public_key: str
    signature: str


def private_key(vault: Vault) -> Ed25519PrivateKey:
    """This installation's key: it follows from what the master key opens, and is kept nowhere
    else."""
    return Ed25519PrivateKey.from_private_bytes(vault.sign(b"1", PURPOSE))


def own_keys(vault: Vault) -> list[str]:
    """The public keys in hex of all that this installation signed with, the present one first."""
    return [public_of(key) for key in vault.generations(PURPOSE)]


def private_of(key: PurposeKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key.mac(b"1"))


def public_of(key: PurposeKey) -> str:
    return public_hex(private_of(key))


def public_hex(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def signed(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    """The member `signature.json` over the manifest's bytes."""
    return canonical(
        {
            "algorithm": ALGORITHM,
            "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
            "public_key": public_hex(key),
            "signature": key.sign(manifest).hex(),
        }
    )


def check(manifest: bytes, signature: bytes) -> str:
    """The public key in hex that signed the manifest. Raises BadSignature."""
    try:
        told = msgspec.json.decode(signature, type=_Signature)
        given, key = bytes.fromhex(told.signature), bytes.fromhex(told.public_key)
        public = Ed25519PublicKey.from_public_bytes(key)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadSignature(f"is not a signature: {error}") from error
    if told.algorithm != ALGORITHM or signature != _canonical(told, given, key):
        raise BadSignature("is not written as a signature is")
    digest = hashlib.sha256(manifest).hexdigest()
    try:
        public.verify(given, manifest)
    except InvalidSignature as error:
        wrong = told.manifest_sha256 != digest
        raise BadSignature(
            "is not what was signed" if wrong else "does not sign the manifest", manifest=wrong
        ) from error
    if told.manifest_sha256 != digest:
        raise BadSignature("names another digest than the manifest's")
    return told.public_key


def _canonical(told: _Signature, given: bytes, key: bytes) -> bytes:
    return canonical(
        {
            "algorithm": ALGORITHM,
            "manifest_sha256": told.manifest_sha256,
            "public_key": key.hex(),
            "signature": given.hex(),
        }
    )
