"""All settings, from ``STEWARD_…`` variables. The only place that reads the environment, and only when built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ModelKind = Literal["triage", "plan", "advice", "diagnosis", "choice"]


def _count(value: Any) -> Any:
    return 0 if value == "auto" else value


class Settings(BaseSettings):
    """What can be set. Each field is a variable: ``home`` is ``STEWARD_HOME``. Read once, by whoever starts."""

    model_config = SettingsConfigDict(env_prefix="STEWARD_", frozen=True, extra="ignore")

    home: Path | None = Field(
        default=None, description="a company's own tools/, playbooks/, policy.yaml, people.yaml, systems.yaml"
    )
    state: Path = Field(
        default=Path(".steward"), description="where the embedded PostgreSQL and the sandbox keep their files"
    )
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL of your own; without it an embedded one starts by itself"
    )
    database_owner_url: SecretStr | None = Field(
        default=None, description="the owner's connection for migrations; default: database_url"
    )
    sandbox_port: int = Field(default=8700, description="base port of the sandbox company; its systems are at +1 … +9")
    worker_slots: int = Field(default=64, ge=1, description="how many runs a worker advances at once")
    worker_processes: Annotated[int, BeforeValidator(_count)] = Field(
        default=1,
        ge=0,
        le=1_000,
        description="worker processes of `steward worker`, `up` and `chat`, one core each; 0 or auto: as many as there are cores",
    )
    lease_seconds: float = Field(default=15, gt=0, description="how long a silent worker keeps its runs")
    poll_seconds: float = Field(
        default=0.5, gt=0, description="how often a worker looks for due runs when no hint comes"
    )
    linger_seconds: float = Field(
        default=1, ge=0, description="waits up to this long stay in the slice; longer ones become timers"
    )
    log_level: str = Field(default="warning", description="debug, info, warning or error")
    chat_host: str = Field(default="127.0.0.1", description="the address on which the chat listens")
    chat_port: int = Field(default=8000, description="the port on which the chat listens")
    chat_secret: SecretStr | None = Field(
        default=None, description="signs chat sessions; made and kept under state when absent"
    )
    serve_host: str = Field(default="127.0.0.1", description="the address on which `steward serve` listens")
    serve_port: int = Field(default=8080, description="the port on which `steward serve` listens")
    callback_url: str = Field(
        default="", description="where other systems reach its callbacks; default: its own host and port, /callbacks"
    )
    callback_secret: SecretStr | None = Field(
        default=None, description="makes callback addresses unguessable; made and kept under state when absent"
    )
    event_secret: SecretStr | None = Field(
        default=None,
        description="signs the events that other systems publish; two, separated by a blank, while you change it; made "
        "and kept under state when absent",
    )
    model: str = Field(
        default="", description="the model that plans and reads: `gpt-…`, or `provider:name`; without it rules decide"
    )
    model_base_url: str = Field(
        default="", description="an endpoint of the OpenAI protocol; default: OpenAI's, or the provider's own"
    )
    model_api_key: SecretStr | None = Field(default=None, description="its key; an endpoint of your own may need none")
    model_fallback: str = Field(default="", description="the model that is asked when the first cannot answer")
    model_for: tuple[ModelKind, ...] = Field(
        default=("triage", "plan", "diagnosis", "choice"),
        description="the decisions that it is asked for, a JSON list of triage, plan, advice, diagnosis, choice",
    )
    model_timeout_seconds: float = Field(default=60, gt=0, description="how long one call of a model may take")
    model_max_tokens: int = Field(default=8_000, ge=100, description="the longest answer of a model, in tokens")
    model_calls_per_minute: int = Field(default=60, ge=0, description="calls of each model a minute; 0: no limit")
    model_run_dollars: float = Field(default=1, ge=0, description="what models may cost in a run; 0: no limit")
    model_day_dollars: float = Field(default=20, ge=0, description="what models may cost in a day (UTC); 0: no limit")
    model_prices: dict[str, tuple[float, float]] = Field(
        default_factory=dict,
        description='dollars for a million tokens in and out, JSON by model: {"gpt-x": [2.5, 10]}',
    )
    demo_password: SecretStr | None = Field(
        default=None, description="log-in of the demo people; made and kept under state when absent"
    )

    @property
    def has_model(self) -> bool:
        """Whether a model is set, and has its key: OpenAI's own endpoint wants one, others may not or have their own ways."""
        names = [name for name in (self.model, self.model_fallback) if name]
        needy = any(":" not in name or name.startswith("openai:") for name in names) and not self.model_base_url
        return bool(self.model) and not (needy and self.model_api_key is None)

    @property
    def who_decides(self) -> str:
        """Who decides in an installation with these settings, in one sentence for any screen."""
        if not self.model:
            return "No model is set (STEWARD_MODEL), so the offline rules decide."
        if not self.has_model:
            return f"{self.model} has no key (STEWARD_MODEL_API_KEY), so the offline rules decide."
        fallback = f", then {self.model_fallback}," if self.model_fallback else ""
        return f"{self.model}{fallback} is asked for {_listed(self.model_for)}; what it cannot answer, rules do."


def _listed(kinds: Sequence[str]) -> str:
    words = {
        "triage": "what words mean",
        "plan": "plans",
        "advice": "advice on reviews",
        "diagnosis": "failures",
        "choice": "choices in plans",
    }
    named = [words[kind] for kind in kinds]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}" if named else "nothing"
