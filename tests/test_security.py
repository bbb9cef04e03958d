"""Passwords are stored at the cost that production pays."""

from __future__ import annotations

import subprocess
import sys

from app.security import hash_password, password_matches

HASH_ONE = "from app.security import hash_password; print(hash_password('correct horse'))"


def test_a_stored_password_costs_what_is_recommended() -> None:
    """RFC 9106, second choice: Argon2id, 64 MiB, three passes, four lanes."""
    done = subprocess.run([sys.executable, "-c", HASH_ONE], capture_output=True, check=True)
    stored = done.stdout.decode().strip()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert password_matches("correct horse", stored)
    assert not password_matches("correct horsf", stored)


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("correct horse") != hash_password("correct horse")
