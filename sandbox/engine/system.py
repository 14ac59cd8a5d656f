"""What a system is: its name, how it authenticates, what keys it honours, how its errors look, and its operations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter

from sandbox.engine.refusal import Refusal
from sandbox.engine.store import JsonObject

Auth = Literal["oauth2", "api_key", "basic"]


@dataclass(frozen=True)
class System:
    """One of the twelve. `shape` puts the system's own error body around a refusal (whose status is already final)."""

    name: str
    about: str
    auth: Auth
    creating: str
    invalid_status: int
    shape: Callable[[Refusal], JsonObject]
    router: APIRouter
    key_lifetime_seconds: float | None = None
    error_media_type: str = "application/json"
