"""The keys of single purposes, each in generations that follow one another.

The first generation of a purpose is derived from the master key. Later ones are random and lie in
the database, wrapped by the master key (`app/store/accounts/vault_keys.py`). What a former
generation sealed still opens until it is sealed anew, so that an exchange needs no stop.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from app.security import MasterKey, Suite, Unsealable

GROUPS: dict[str, tuple[str, ...]] = {
    "faces": ("learner-key",),
    "id-numbers": ("id-number", "id-number-hash"),
    "links": ("learner-link", "enrolment-link"),
    "audit": ("audit-log", "audit-package-ed25519"),
    "sittings": ("session-seed",),
    "files": ("case-file", "signed-lists"),
    "staff": ("totp-seed", "recovery-code", "notice-ways"),
    "webhooks": ("webhook-secret",),
    "pages": (
        "known-browser", "new-factor", "photo-batch", "second-step", "sign-on", "table-upload",
        "told-once",
    ),
}  # fmt: skip
PURPOSES = tuple(purpose for group in GROUPS.values() for purpose in group)
NUMBER_HASH, AUDIT_LOG, SIGNATURES = "id-number-hash", "audit-log", "audit-package-ed25519"
# Their former generations are needed for good: as links of the chain, and to verify.
KEPT = frozenset({NUMBER_HASH, AUDIT_LOG, SIGNATURES})
WHOLE = b"master:"
_LOOK_EVERY_S = 30.0
_AGAIN_S = 1.0


class KeyStanding:
    CURRENT = "current"
    FORMER = "former"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class PurposeKey:
    """One generation of a purpose's key. Where the first one of a purpose with parts of their own
    (`case-file:…`) is kept, `secret` is WHOLE and the master key that the parts' keys follow from.
    """

    generation: int
    suite: Suite
    secret: bytes
    standing: str = KeyStanding.CURRENT

    def seal(self, data: bytes, purpose: str) -> bytes:
        return self.suite.seal(self.secret, data, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises Unsealable."""
        return self.suite.open(self.secret, sealed, purpose.encode())

    def mac(self, message: bytes) -> bytes:
        return self.suite.mac(self.secret, message)


@dataclass(frozen=True, slots=True)
class Ring:
    """The generations of the purposes that have more than the derived one, newest first. `version`
    is what changes in the database with a new generation."""

    version: tuple[int, int]
    keys: Mapping[str, tuple[PurposeKey, ...]]


NO_RING = Ring((0, 0), {})


class NumberHash(bytes):
    """The keyed hash of an ID number by the newest generation of its key; `all` are those under
    which the same person may still stand in the database, this one first."""

    generation: int
    all: tuple[bytes, ...]


class Vault:
    """Everything that needs the master key.

    `suite` is that of the keys to come. What `look_by` was told reads the ring from the database;
    before that there are the derived keys alone. It is asked at first use, whenever something does
    not open, and now and then before sealing.
    """

    def __init__(self, master_key: str, suite: Suite = Suite.INTERNATIONAL) -> None:
        self.master = MasterKey(master_key)
        self.suite = suite
        self.look: Callable[[MasterKey], Ring] | None = None
        self._ring: Ring | None = NO_RING
        self._looked = 0.0
        self._lock = threading.Lock()
        self._derived: dict[str, PurposeKey] = {}

    def look_by(self, look: Callable[[MasterKey], Ring]) -> None:
        self.look, self._ring = look, None

    @property
    def ring(self) -> Ring:
        if self._ring is None:
            self.refresh()
        assert self._ring is not None
        return self._ring

    def refresh(self) -> None:
        """Read the ring from the database. Raises Unsealable where the master key does not open
        it."""
        if self.look is not None:
            self.hold(self.look(self.master))

    def hold(self, ring: Ring) -> None:
        with self._lock:
            if ring.version >= self.version:
                self._ring, self._looked = ring, time.monotonic()

    def still_newest(self) -> None:
        """Somebody looked: there is no other ring."""
        self._looked = time.monotonic()

    @property
    def version(self) -> tuple[int, int]:
        """Of the ring that is held; before all where none is yet."""
        return (-1, 0) if self._ring is None else self._ring.version

    def change_master(self, master_key: str) -> None:
        """Go on with another master key. Raises Unsealable where it opens nothing."""
        master = MasterKey(master_key)
        ring = self.look(master) if self.look else NO_RING
        with self._lock:
            self.master, self._ring, self._derived = master, ring, {}

    def generations(self, purpose: str) -> tuple[PurposeKey, ...]:
        """The newest first. Raises LookupError for a purpose that is none of PURPOSES."""
        name, _, part = purpose.partition(":")
        known = self.ring.keys.get(name)
        if known is None:
            return (self._first(purpose),)
        return tuple(_of_part(key, purpose) for key in known) if part else known

    def _first(self, purpose: str) -> PurposeKey:
        """As it follows from the master key; of `case-file:…` each file has its own."""
        name, _, part = purpose.partition(":")
        if name not in PURPOSES:
            raise LookupError(f"{name} is no purpose of a key: name it in app/vault.py")
        found = self._derived.get(name) if not part else None
        if found is None:
            found = PurposeKey(1, Suite.INTERNATIONAL, self.master.derive(purpose))
            if not part:
                self._derived[name] = found
        return found

    def newest(self, purpose: str) -> PurposeKey:
        if self.look is not None and time.monotonic() - self._looked > _LOOK_EVERY_S:
            self.refresh()
        return self.generations(purpose)[0]

    def seal(self, data: bytes, purpose: str) -> bytes:
        """12 bytes nonce, then ciphertext and tag, by the purpose's newest key."""
        return self.newest(purpose).seal(data, purpose)

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises Unsealable."""
        try:
            return self._open(sealed, purpose)
        except Unsealable:
            if not self._looked_again():
                raise
            return self._open(sealed, purpose)

    def _open(self, sealed: bytes, purpose: str) -> bytes:
        *former, last = self.generations(purpose)
        for key in former:
            try:
                return key.open(sealed, purpose)
            except Unsealable:
                continue
        return last.open(sealed, purpose)

    def _looked_again(self) -> bool:
        """Whether the ring is another than before: somebody exchanged a key meanwhile."""
        if self.look is None or time.monotonic() - self._looked < _AGAIN_S:
            return False
        before = self.version
        self.refresh()
        return self.version != before

    def new_learner_key(self) -> tuple[bytes, bytes]:
        """A fresh key for one learner's face data: (key, the key wrapped for storage)."""
        key = secrets.token_bytes(self.suite.key_bytes)
        return key, self.seal(key, "learner-key")

    def unwrap_learner_key(self, wrapped: bytes) -> bytes:
        return self.open(wrapped, "learner-key")

    def id_number_hash(self, id_number: str) -> NumberHash:
        """Keyed hash by which one person is recognised over accounts and platforms.

        Each generation hashes what the one before it made, so that hashes can be brought to a new
        key without the numbers.
        """
        normal = id_number.strip().upper().encode()
        return self._chained(normal, self.generations(NUMBER_HASH), ())

    def raised(self, id_hash: bytes, generation: int) -> NumberHash:
        """A hash that an earlier generation made, as the newest makes it."""
        keys = [it for it in self.generations(NUMBER_HASH) if it.generation > generation]
        known = NumberHash(id_hash)
        known.generation, known.all = generation, (id_hash,)
        return self._chained(id_hash, tuple(keys), (id_hash,)) if keys else known

    def _chained(
        self, start: bytes, keys: tuple[PurposeKey, ...], valid: tuple[bytes, ...]
    ) -> NumberHash:
        made = start
        for key in reversed(keys):
            made = key.mac(made)
            if key.standing != KeyStanding.KEPT:
                valid = (made, *valid)
        found = NumberHash(made)
        found.generation, found.all = keys[0].generation, valid
        return found

    def sign(self, message: bytes, purpose: str) -> bytes:
        """A keyed hash of 32 bytes, to be told by `signed` later."""
        return self.newest(purpose).mac(message)

    def signed(self, message: bytes, purpose: str, fits: Callable[[bytes], bool]) -> bool:
        """Whether what `sign` made of the message, by a generation that is still good, fits."""
        if any(fits(key.mac(message)) for key in self.generations(purpose)):
            return True
        return self._looked_again() and any(
            fits(key.mac(message)) for key in self.generations(purpose)
        )


def _of_part(key: PurposeKey, purpose: str) -> PurposeKey:
    if key.generation > 1 or not key.secret.startswith(WHOLE):
        return key
    master = MasterKey(key.secret.removeprefix(WHOLE).decode())
    return replace(key, secret=master.derive(purpose))
