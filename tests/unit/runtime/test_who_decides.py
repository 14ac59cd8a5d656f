"""Who decides is said in one sentence, whatever is set."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.settings import Settings


@pytest.mark.parametrize(
    ("given", "has_model", "said"),
    [
        ({}, False, "No model is set (STEWARD_MODEL), so the offline rules decide."),
        ({"model": "m"}, False, "m has no key (STEWARD_MODEL_API_KEY), so the offline rules decide."),
        ({"model": "m", "model_api_key": "k"}, True, "m is asked for what words mean, plans, failures and choices"),
        ({"model": "m", "model_base_url": "http://localhost/v1"}, True, "m is asked for"),
        ({"model": "other:m", "model_for": ["plan"]}, True, "other:m is asked for plans; what it cannot"),
        ({"model": "m", "model_fallback": "n", "model_api_key": "k"}, True, "m, then n, is asked for"),
        ({"model": "other:m", "model_fallback": "gpt"}, False, "has no key"),
    ],
)
def test_settings_say_who_decides(given: dict[str, Any], has_model: bool, said: str) -> None:
    """A model needs a key only where OpenAI's own endpoint is asked; without it rules decide, and nothing fails."""
    settings = Settings.model_validate(given)
    assert settings.has_model is has_model
    assert said in settings.who_decides
