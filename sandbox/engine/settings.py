"""What the control app can set: rate limits, key lifetimes, and how far the facilities index lags."""

import json
import sqlite3
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from sandbox.engine.system import System


class Limit(BaseModel):
    """At most `requests` in each window of `per_seconds`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: int = Field(default=2000, ge=0)
    per_seconds: float = Field(default=1.0, gt=0)


class Settings(BaseModel):
    """All settings, or in a change only the given ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    facilities_lag_seconds: float = Field(default=2.0, ge=0)
    limits: dict[str, Limit] = {}
    key_lifetime_seconds: dict[str, float] = {}


def default_settings(systems: Sequence[System]) -> Settings:
    """Give the settings of a company at its first start."""
    return Settings(
        limits={system.name: Limit() for system in systems},
        key_lifetime_seconds={
            system.name: system.key_lifetime_seconds for system in systems if system.key_lifetime_seconds is not None
        },
    )


def merge_settings(old: Settings, change: Settings) -> Settings:
    """Give the old settings with what the change sets. Raises ValueError for a system that has no such setting."""
    for name, known, given in (
        ("limits", old.limits, change.limits),
        ("key_lifetime_seconds", old.key_lifetime_seconds, change.key_lifetime_seconds),
    ):
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ValueError(f"`{name}` has no entry for {', '.join(unknown)}; it has {', '.join(known)}.")
    lagged = change if "facilities_lag_seconds" in change.model_fields_set else old
    return Settings(
        facilities_lag_seconds=lagged.facilities_lag_seconds,
        limits={**old.limits, **change.limits},
        key_lifetime_seconds={**old.key_lifetime_seconds, **change.key_lifetime_seconds},
    )


def load_settings(db: sqlite3.Connection, defaults: Settings) -> Settings:
    """Read the stored settings."""
    row = db.execute("SELECT value FROM settings WHERE name = 'settings'").fetchone()
    return Settings.model_validate(json.loads(row["value"])) if row else defaults


def save_settings(db: sqlite3.Connection, settings: Settings) -> None:
    """Store the settings."""
    db.execute("INSERT OR REPLACE INTO settings VALUES ('settings', ?)", (settings.model_dump_json(),))
