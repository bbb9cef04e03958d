"""A correction of the name or number that an account with evidence stands for.

Somebody records it with a reason, another person approves it; only then the account changes. Its
sittings, photos and told history stay with the account and count for the person who stands behind
it from then on, and the sittings of both persons are judged again. The number is kept encrypted
beside the act, which tells it masked. Revoking puts back what stood there.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.domain import id_numbers, runs
from app.domain.catalogue import person_names
from app.domain.catalogue.learner_account import masked, number_hash
from app.domain.catalogue.roster_rows import PersonName
from app.domain.id_numbers import ID_NUMBER_PURPOSE
from app.domain.wire import Wire
from app.errors import BadInput, Conflict
from app.store.accounts import identity as store
from app.store.accounts import vault_keys
from app.store.catalogue import people
from app.store.catalogue.catalogue import ClassRow
from app.store.review.acts import ActRow
from app.vault import NumberHash, Vault


class IdentityChange(Wire):
    """The right name, the right number, or both, as they stand in the document."""

    name: Annotated[PersonName | None, Field(title="姓名")] = None
    id_type: Annotated[id_numbers.IdType | None, Field(title="证件类型")] = None
    id_number: Annotated[str | None, Field(title="证件号码")] = None

    @field_validator("name", "id_type", "id_number", mode="before")
    @classmethod
    def _left_out(cls, said: Any, info: ValidationInfo) -> Any:
        if not isinstance(said, str):
            return said
        if not said.strip() or info.field_name != "id_type":
            return said if said.strip() else None
        try:
            return id_numbers.type_in_words(said)
        except id_numbers.BadNumber as refusal:
            raise PydanticCustomError(refusal.code, str(refusal)) from None

    @field_validator("id_number")
    @classmethod
    def _read(cls, said: str | None, info: Any) -> str | None:
        """Two persons compare it with the document, so that three zeros at its end are its own."""
        if said is None:
            return None
        try:
            return id_numbers.read(said, info.data.get("id_type"), confirmed=True)
        except id_numbers.BadNumber as refusal:
            raise PydanticCustomError(refusal.code, str(refusal)) from None

    @model_validator(mode="after")
    def _something(self) -> IdentityChange:
        if self.name is None and self.id_number is None:
            raise PydanticCustomError(
                "nothing_to_correct",
                "name: 请填写更正后的姓名或证件号码 / name or id_number is needed",
            )
        return self


class IdentityDeed:
    """What an act of this kind does beyond being recorded."""

    def split(
        self,
        connection: Connection,
        vault: Vault,
        klass: ClassRow,
        learner_id: int,
        change: IdentityChange,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the act tells, and what is kept beside it. Raises BadInput where nothing would
        change, or where the number is another person's."""
        account = people.by_id(connection, learner_id)
        name, number = change.name, change.id_number
        if name is not None and name == account.name:
            name = None
        id_hash = number_hash(vault, klass, number) if number else None
        if id_hash == account.id_hash:
            id_hash = number = None
        if name is None and number is None:
            raise BadInput(
                "nothing_to_correct", "name: 与现有登记相同 / is what stands there already"
            )
        _require_free(connection, klass, account, name or account.name, id_hash)
        shown: dict[str, str | None] = {}
        if name:
            shown |= {"former_name": account.name, "name": name}
        if number:
            shown["former_id_number"] = masked(account.id_last4)
            shown["id_number"] = masked(number[-4:])
        kept = {
            "name": name,
            "id_hash": bytes(id_hash) if id_hash else None,
            "hash_generation": id_hash.generation if id_hash else 1,
            "id_number_encrypted": vault.seal(number.encode(), ID_NUMBER_PURPOSE)
            if number
            else None,
            "id_last4": number[-4:] if number else None,
        }
        return {key: it for key, it in shown.items() if it is not None}, kept

    def recorded(self, connection: Connection, act_id: int, kept: dict[str, Any]) -> None:
        store.add(connection, act_id=act_id, **kept)

    def done(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises Conflict when somebody else came to stand under that number meanwhile."""
        account = _account(connection, act)
        wanted = store.of_act(connection, act.id)
        id_hash = _raised(connection, wanted)
        try:
            _require_free(connection, klass, account, wanted.name or account.name, id_hash)
        except BadInput as refusal:
            raise Conflict(refusal.code, refusal.detail) from None
        values: dict[str, Any] = {"name": wanted.name} if wanted.name else {}
        person_id = account.person_id
        if id_hash is not None:
            person_id = people.ensure_person(connection, id_hash)
            values |= {
                "person_id": person_id,
                "id_number_encrypted": wanted.id_number_encrypted,
                "id_last4": wanted.id_last4,
            }
        store.change(
            connection,
            act.id,
            applied_ms=now_ms,
            person_id=person_id,
            former_person_id=account.person_id,
            former_name=account.name,
            former_encrypted=account.id_number_encrypted,
            former_last4=account.id_last4,
        )
        _put(connection, account, values, actor, now_ms)

    def undone(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises Conflict when the account was corrected once more since."""
        account = _account(connection, act)
        was = store.of_act(connection, act.id)
        moved = was.person_id != account.person_id
        if moved or (was.name is not None and was.name != account.name):
            raise Conflict(
                "corrected_since",
                "此后又有更正，请先撤销后一项 / the account was corrected since: revoke that first",
            )
        values: dict[str, Any] = {"name": was.former_name} if was.name else {}
        if was.id_hash is not None:
            values |= {
                "person_id": was.former_person_id,
                "id_number_encrypted": was.former_encrypted,
                "id_last4": was.former_last4,
            }
        _put(connection, account, values, actor, now_ms)


def _account(connection: Connection, act: ActRow) -> people.LearnerRow:
    assert act.learner_id is not None  # acts of this kind are of a learner
    return people.by_id(connection, act.learner_id)


def _raised(connection: Connection, wanted: store.CorrectionRow) -> NumberHash | None:
    """The number's hash by the newest key, whichever was it when the act was recorded."""
    if wanted.id_hash is None:
        return None
    vault = vault_keys.vault_of(connection)
    assert vault is not None  # of every connection of a service or command
    return vault.raised(wanted.id_hash, wanted.hash_generation)


def _put(
    connection: Connection,
    account: people.LearnerRow,
    values: dict[str, Any],
    actor: str,
    now_ms: int,
) -> None:
    people.update_learner(connection, account.id, **values)
    if values.get("person_id", account.person_id) != account.person_id:
        people.move_person(connection, account, values["person_id"])
    for class_id in store.classes_of(connection, account.id):
        runs.request(connection, class_id, actor, now_ms)


def _require_free(
    connection: Connection,
    klass: ClassRow,
    account: people.LearnerRow,
    name: str,
    id_hash: NumberHash | None,
) -> None:
    if id_hash is None:
        return
    members = {it.id for it in people.enrolled(connection, klass.id)}
    for holder in people.holders(connection, klass.platform_id, [id_hash]):
        if holder.id == account.id:
            continue
        who = f"{holder.name}（{holder.external_id}）"
        if not person_names.same(holder.name, name):
            raise BadInput(
                "id_number_shared",
                f"id_number: 该证件号码已登记在{who}名下，请先更正其中录错的一方 / "
                f"this number stands for {holder.name!r} ({holder.external_id})",
            )
        if holder.id in members:
            raise BadInput(
                "one_person_twice",
                f"id_number: {who}已在本班，一人只能登记一次 / "
                f"{holder.name!r} ({holder.external_id}) is in this class already",
            )
