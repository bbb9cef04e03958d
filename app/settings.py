"""Every setting, read once from the environment (`ZHENXUE_*`; secrets also from `*_FILE`)."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.database_url import for_sqlalchemy
from app.security import Suite
from app.vision.model_files import BackendFiles, ModelFile
from app.vision.recommended import InstalledModels

_IN_FILES = ("master_key", "database_url", "smtp_password", "oidc_client_secret")
DEVELOPMENT_KEY = "development-only-master-key-never-use-it-for-real-people"


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Refuses to exist in production without a master key and a public address of its own."""

    model_config = SettingsConfigDict(env_prefix="ZHENXUE_", extra="ignore")

    env: Environment = Environment.DEVELOPMENT
    data_dir: Path = Path("data")
    database_url: str = ""
    blob_url: str = ""
    master_key: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str = ""  # where people reach the service; in development, where they asked
    trusted_proxies: str = "127.0.0.1"  # whose X-Forwarded-For is believed; commas between
    executor: str = "processes:0"  # 0: as many as there are cores
    default_pack: str = "huangchuan-2021-graded"
    packs_dir: str = ""  # a folder of the site's own policy packs, beside those that are shipped
    face_workers: int = Field(1, ge=0, le=64)
    yunet_path: str = ""  # models of the operator's own, each with the hash it must have
    yunet_sha256: str = ""
    embedder_path: str = ""
    embedder_sha256: str = ""
    embedder_card_path: str = ""
    embedder_card_sha256: str = ""
    anti_spoof_paths: str = ""  # two .onnx files, or .param .bin .param .bin; commas between
    anti_spoof_sha256s: str = ""
    nightly_cron: str = "30 2 * * *"
    learner_link_days: int = Field(60, ge=1, le=366)
    enrolment_link_minutes: int = Field(30, ge=5, le=1440)  # a product default
    learner_appeals_a_day: int = Field(5, ge=1, le=100)  # by one link
    oidc_issuer: str = ""  # a bureau's sign-on service (OpenID Connect); empty: none
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = "统一身份认证"  # what the login page calls it
    oidc_strong: str = "mfa"  # `amr` or `acr` that stand for a second factor; commas between
    crypto_suite: Suite = Suite.INTERNATIONAL  # of keys to come; national: SM4 and SM3
    second_factor: Literal["", "required", "offered"] = ""  # of who decides; empty: see below
    second_factor_grace_days: int = Field(14, ge=0, le=366)  # a product default
    photo_term_days: int = Field(1095, ge=0)  # after a class is over; 0: for good
    template_term_days: int = Field(30, ge=0)
    statement_term_days: int = Field(1095, ge=0)  # xAPI, from their receipt; 0: for good
    purge_cron: str = "30 4 * * *"  # empty: only by hand
    webhook_networks: str = ""  # private networks that webhooks may reach; commas between
    robot_hosts: str = "qyapi.weixin.qq.com,oapi.dingtalk.com"  # where group robots may live
    smtp_host: str = ""  # empty: no mail is sent
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"  # none: not in production
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""
    api_requests_per_minute: int = Field(0, ge=0)  # per key; 0: no limit
    platform_bytes_a_day: int = Field(100_000_000_000, ge=0)  # keys and browsers; 0: no limit
    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024)
    max_documents_bytes: int = Field(1024 * 1024 * 1024, ge=1024)  # xAPI, of a platform
    max_image_bytes: int = Field(4 * 1024 * 1024, ge=1024)
    max_import_bytes: int = Field(4 * 1024 * 1024 * 1024, ge=1024)
    otlp_endpoint: str = ""  # traces: http://host:4318 of a collector; empty: none
    log_json: bool = False

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in _IN_FILES:
            path = os.environ.get(f"ZHENXUE_{name.upper()}_FILE")
            if path and not values.get(name):
                values[name] = Path(path).read_text(encoding="utf-8").strip()
                if not values[name]:
                    raise ValueError(f"the file of ZHENXUE_{name.upper()}_FILE is empty")
        return values

    @model_validator(mode="before")
    @classmethod
    def _spelt(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A setting under a name that is nearly one would be left out without a word."""
        names = [*cls.model_fields, *(f"{it}_file" for it in _IN_FILES)]
        for variable in os.environ:
            told = variable.lower().removeprefix("zhenxue_")
            if variable.upper().startswith("ZHENXUE_") and told not in names:
                for meant in get_close_matches(told, names, 1, cutoff=0.8):
                    raise ValueError(f"{variable} is no setting: is ZHENXUE_{meant.upper()} meant?")
        return values

    @model_validator(mode="after")
    def _addresses(self) -> Settings:
        scheme, colon, _ = self.database_url.partition("://")
        known = ("postgresql", "postgres", "postgresql+psycopg", "sqlite")
        if self.database_url and not (colon and scheme in known):
            raise ValueError("ZHENXUE_DATABASE_URL is postgresql://user:password@host/name")
        if self.blob_url and "://" not in self.blob_url:
            raise ValueError("ZHENXUE_BLOB_URL is an address, e.g. s3://bucket/prefix")
        if self.trusted_proxies != "*":
            _networks("ZHENXUE_TRUSTED_PROXIES", self.trusted_proxies)
        _networks("ZHENXUE_WEBHOOK_NETWORKS", self.webhook_networks)
        if not re.fullmatch(r"processes:[0-9]+|dask:.+", self.executor):
            raise ValueError("ZHENXUE_EXECUTOR is `processes:N` or `dask:tcp://host:port`")
        return self

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
        if not self.public_url and self.production:
            # The Host header would choose where links lead, and who asks chooses the header.
            raise ValueError("ZHENXUE_PUBLIC_URL must be set in production")
        if self.public_url and not _is_origin(self.public_url, https_only=self.production):
            raise ValueError(
                "ZHENXUE_PUBLIC_URL is https:// and a host, in development also http://,"
                " without a path"
            )
        if self.packs_dir and not Path(self.packs_dir).is_dir():
            raise ValueError(f"ZHENXUE_PACKS_DIR: there is no folder {self.packs_dir}")
        for name in ("yunet", "embedder", "embedder_card"):
            if bool(getattr(self, f"{name}_path")) != bool(getattr(self, f"{name}_sha256")):
                variable = f"ZHENXUE_{name.upper()}"
                raise ValueError(f"{variable}_PATH and {variable}_SHA256 are set together")
        if len(_parts(self.anti_spoof_paths)) != len(_parts(self.anti_spoof_sha256s)):
            raise ValueError(
                "ZHENXUE_ANTI_SPOOF_SHA256S must name one hash for each of ZHENXUE_ANTI_SPOOF_PATHS"
            )
        return self

    @model_validator(mode="after")
    def _mail(self) -> Settings:
        if self.smtp_host and "@" not in self.smtp_from:
            raise ValueError("ZHENXUE_SMTP_FROM must be an address where ZHENXUE_SMTP_HOST is set")
        if self.smtp_host and self.production and self.smtp_security == "none":
            raise ValueError("in production mail goes by STARTTLS or TLS")
        return self

    @model_validator(mode="after")
    def _sign_on(self) -> Settings:
        if not self.oidc_issuer:
            return self
        if not self.oidc_client_id or not self.oidc_client_secret.get_secret_value():
            raise ValueError(
                "ZHENXUE_OIDC_CLIENT_ID and ZHENXUE_OIDC_CLIENT_SECRET(_FILE) belong to"
                " ZHENXUE_OIDC_ISSUER"
            )
        if self.production and not self.oidc_issuer.startswith("https://"):
            raise ValueError("ZHENXUE_OIDC_ISSUER must begin with https:// in production")
        return self

    @property
    def oidc_strong_methods(self) -> frozenset[str]:
        return frozenset(_parts(self.oidc_strong))

    @cached_property
    def webhook_allowed(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Where webhooks may lead beside the public internet; in development also to itself."""
        own = "" if self.production else ",127.0.0.0/8,::1/128"
        return _networks("ZHENXUE_WEBHOOK_NETWORKS", self.webhook_networks + own)

    @property
    def robots(self) -> frozenset[str]:
        """The hosts, with a port where it is not 443, that group robots are reached at."""
        return frozenset(_parts(self.robot_hosts))

    @property
    def model_files(self) -> BackendFiles:
        """The operator's own models for the face workers: those named by path, then those that
        `zhenxue models install` laid into the data folder."""
        pair = zip(_parts(self.anti_spoof_paths), _parts(self.anti_spoof_sha256s), strict=True)
        named = BackendFiles(
            yunet=_model_file(self.yunet_path, self.yunet_sha256),
            embedder=_model_file(self.embedder_path, self.embedder_sha256),
            embedder_card=_model_file(self.embedder_card_path, self.embedder_card_sha256),
            anti_spoof=tuple(ModelFile(Path(path), sha256) for path, sha256 in pair),
        )
        return self.installed_models.completing(named)

    @property
    def installed_models(self) -> InstalledModels:
        return InstalledModels(self.data_dir.resolve() / "models")

    def master_key_now(self) -> str:
        """The master key as its file holds it by now; as it was read where it is in no file."""
        path = os.environ.get("ZHENXUE_MASTER_KEY_FILE")
        if not path or os.environ.get("ZHENXUE_MASTER_KEY"):
            return self.master_key.get_secret_value()
        return Path(path).read_text(encoding="utf-8").strip()

    @property
    def production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def factor_required(self) -> bool:
        """Whether who decides must have a second factor: in production unless only offered."""
        return self.second_factor == "required" or (self.production and not self.second_factor)

    @cached_property
    def resolved_database_url(self) -> str:
        """The database, by default a SQLite file in the data folder."""
        url = self.database_url or f"sqlite:///{self.data_dir.resolve() / 'zhenxue.sqlite'}"
        return for_sqlalchemy(url)

    @cached_property
    def resolved_blob_url(self) -> str:
        """The object store, by default a folder in the data folder."""
        return self.blob_url or (self.data_dir.resolve() / "blobs").as_uri()


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _networks(variable: str, text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Raises ValueError where one is none: it would be believed, or reached, by nobody."""
    try:
        return tuple(ip_network(it) for it in _parts(text))
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from error


def _is_origin(url: str, *, https_only: bool) -> bool:
    """Whether an address is a scheme and a host, and a port if need be."""
    parts = urlsplit(url)
    schemes = ("https",) if https_only else ("https", "http")
    plain = url.rstrip("/") == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    return parts.scheme in schemes and bool(parts.hostname) and plain


def _model_file(path: str, sha256: str) -> ModelFile | None:
    return ModelFile(Path(path), sha256) if path else None
