"""What all tables share: constraint names, and column types that mean the same on both databases.

Columns that end in `_ms` are integer milliseconds: since the epoch for instants, since the start
of the content for positions. Internal ids are integers; `external_id` is the platform's own id and
unique within that platform only.
"""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, Dialect, Integer, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Bytes(LargeBinary):
    """Bytes as the drivers of both databases take and give them, without a copy on the way."""

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


# SQLite numbers rows by itself only in a column of the type INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

Key = Annotated[int, mapped_column(Id, primary_key=True, autoincrement=True)]
Ref = Annotated[int, mapped_column(Id, index=True)]
Ms = Annotated[int, mapped_column(BigInteger)]
Name = Annotated[str, mapped_column(String(128))]
Text = Annotated[str, mapped_column(String(2000))]
Blob = Annotated[bytes, mapped_column(Bytes)]
Digest = Annotated[bytes, mapped_column(Bytes(32))]
Document = Annotated[dict[str, Any], mapped_column(JSON)]
Items = Annotated[list[Any], mapped_column(JSON)]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
