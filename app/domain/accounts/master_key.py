"""Whether the master key is the one that this database was begun with.

With another one ID numbers hash to other values, so that one person passes for two, and nothing
that was encrypted opens again. Such a service must not start.
"""

from __future__ import annotations

from sqlalchemy import Connection

from app.errors import NotReady
from app.security import Unsealable, Vault
from app.store.accounts import installation

_NAME = "master-key"
_PURPOSE = "master-key-check"
_WORD = b"zhenxue"


class WrongMasterKey(NotReady):
    """Another key than the database's."""


def require(connection: Connection, vault: Vault) -> bool:
    """Whether the key was checked against the sealed word; False where there is none yet.

    Raises WrongMasterKey, also when it opens nothing of what an earlier version encrypted.
    """
    sealed = installation.fact(connection, _NAME)
    try:
        if sealed is not None:
            vault.open(sealed, _PURPOSE)
            return True
        wrapped = installation.any_wrapped_key(connection)
        if wrapped is not None:
            vault.unwrap_learner_key(wrapped)
    except Unsealable as error:
        raise WrongMasterKey(
            "wrong_master_key",
            "the master key is not the one that this database was begun with: set"
            " ZHENXUE_MASTER_KEY or ZHENXUE_MASTER_KEY_FILE to that one",
        ) from error
    return False


def take_over(connection: Connection, vault: Vault, now_ms: int) -> None:
    """Keep the sealed word of the key that this installation goes on with."""
    installation.keep(connection, _NAME, vault.seal(_WORD, _PURPOSE), now_ms)
