"""Every setting, read once from the environment (`ZHENXUE_*`; secrets also from `*_FILE`)."""

from __future__ import annotations

import os
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_KEY = "development-only-master-key-never-use-it-for-real-people"


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Refuses to exist in production without a master key of its own."""

    model_config = SettingsConfigDict(env_prefix="ZHENXUE_", extra="ignore")

    env: Environment = Environment.DEVELOPMENT
    data_dir: Path = Path("data")
    database_url: str = ""
    blob_url: str = ""
    master_key: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str = ""
    executor: str = "processes:0"  # 0: as many as there are cores
    default_pack: str = "huangchuan-2021-graded"
    face_workers: int = Field(1, ge=0, le=64)
    nightly_cron: str = "30 2 * * *"
    api_requests_per_minute: int = Field(0, ge=0)  # per key; 0: no limit
    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024)
    max_image_bytes: int = Field(4 * 1024 * 1024, ge=1024)
    max_import_bytes: int = Field(4 * 1024 * 1024 * 1024, ge=1024)
    log_json: bool = False

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in ("master_key", "database_url"):
            path = os.environ.get(f"ZHENXUE_{name.upper()}_FILE")
            if path and not values.get(name):
                values[name] = Path(path).read_text(encoding="utf-8").strip()
        return values

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if not self.master_key.get_secret_value():
            if self.production:
                raise ValueError(
                    "ZHENXUE_MASTER_KEY or ZHENXUE_MASTER_KEY_FILE must be set in production"
                )
            self.master_key = SecretStr(DEVELOPMENT_KEY)
        if self.production and len(self.master_key.get_secret_value()) < 32:
            raise ValueError("the master key must have at least 32 characters")
        if self.production and self.master_key.get_secret_value() == DEVELOPMENT_KEY:
            raise ValueError("the development master key must not be used in production")
        return self

    @property
    def production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @cached_property
    def resolved_database_url(self) -> str:
        """The database, by default a SQLite file in the data folder."""
        url = self.database_url or f"sqlite:///{self.data_dir.resolve() / 'zhenxue.sqlite'}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @cached_property
    def resolved_blob_url(self) -> str:
        """The object store, by default a folder in the data folder."""
        return self.blob_url or (self.data_dir.resolve() / "blobs").as_uri()
