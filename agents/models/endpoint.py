"""A model through langchain: any endpoint of the OpenAI protocol, or another provider's own package.

What an endpoint raises is turned into data here, in our own words, for foreign ones may quote keys or people.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from langsmith import tracing_context
from pydantic import SecretStr

from agents.models.ports import Form, Message, Said, Speaker, Trouble
from governance.errors import InvalidSettings

OPENAI = "https://api.openai.com/v1"
_WAYS = ("json_schema", "tool", "json_object", "text")
_FORM_REFUSED = frozenset({400, 404, 415, 422, 501})
_BUSY = frozenset({408, 409, 425, 429})
_DENIED = {401: "it refused the key", 403: "it refused the key", 404: "it does not know the model"}
_MESSAGES: Mapping[Speaker, type[BaseMessage]] = {
    Speaker.SYSTEM: SystemMessage,
    Speaker.USER: HumanMessage,
    Speaker.MODEL: AIMessage,
}


@dataclass(frozen=True)
class Address:
    """Where models are: the base URL (empty: the provider's own), the key, seconds for a call, tokens of an answer."""

    base_url: str = ""
    key: SecretStr | None = None
    timeout: float = 60
    most_tokens: int = 8_000


class Endpoint:
    """One model. Which form of answer its endpoint knows is found out by the first call, and kept."""

    def __init__(self, name: str, chat: BaseChatModel, address: Address) -> None:
        self.name = name
        self.most_tokens = address.most_tokens
        self._chat = chat
        self._timeout = address.timeout
        self._ways: tuple[str, ...] = _WAYS

    async def say(self, messages: Sequence[Message], form: Form) -> Said | Trouble:
        """One call; where the endpoint refuses a form of answer, the next one that it may know."""
        told = [_MESSAGES[message.by](content=message.text) for message in messages]
        first: Trouble | None = None
        for way in self._ways:
            try:
                async with asyncio.timeout(self._timeout):
                    # Questions hold people's data: they go to the endpoint that was set, and nowhere else.
                    with tracing_context(enabled=False):
                        answer = await _asking(self._chat, way, form).ainvoke(told)
            except Exception as error:  # noqa: BLE001 - the boundary to foreign packages: whatever they raise is no answer
                trouble = _trouble(error, self._timeout)
                if _status(error) not in _FORM_REFUSED or way == "text":
                    return first or trouble
                first = first or trouble
                continue
            self._ways = self._ways[self._ways.index(way) :]
            return _heard(answer, form)
        return first or Trouble("it knows no form of answer that we do")


def open_endpoint(name: str, address: Address) -> Endpoint:
    """The model of that name: ``gpt-…``, or ``provider:name`` for a provider's own package.

    Raises:
        InvalidSettings: the provider's package is not installed, or will not take these settings.

    """
    provider, _, model = name.partition(":")
    if address.base_url or not model or provider == "openai":
        return Endpoint(name, _openai(model if provider == "openai" and model else name, address), address)
    return Endpoint(name, _other(provider, name, address), address)


def _openai(model: str, address: Address) -> BaseChatModel:
    # An endpoint of one's own often wants no key; the client always does.
    return ChatOpenAI(
        model=model,
        base_url=address.base_url or OPENAI,
        api_key=address.key or SecretStr("none"),
        timeout=address.timeout,
        max_retries=0,
        max_completion_tokens=address.most_tokens,
    )


def _other(provider: str, name: str, address: Address) -> BaseChatModel:
    need = f"Install langchain and langchain-{provider} beside Steward, or set STEWARD_MODEL_BASE_URL."
    try:
        maker = importlib.import_module("langchain.chat_models").init_chat_model
    except ImportError:
        raise InvalidSettings(f"The model {name} needs the package langchain.", hint=need) from None
    given = {"api_key": address.key.get_secret_value()} if address.key else {}
    try:
        chat: BaseChatModel = maker(
            name, timeout=address.timeout, max_retries=0, max_tokens=address.most_tokens, **given
        )
    except (ImportError, ValueError, TypeError) as error:
        raise InvalidSettings(f"The model {name} cannot be used ({type(error).__name__}).", hint=need) from None
    return chat


def _asking(chat: BaseChatModel, way: str, form: Form) -> Runnable[Any, Any]:
    """The model, told in which form to answer."""
    schema = {"title": form.name, **form.schema}
    match way:
        case "json_schema":
            # Not strict: that form forbids open objects, and the arguments of a step are one. We check ourselves.
            named = {"name": form.name, "schema": schema}
            return chat.bind(response_format={"type": "json_schema", "json_schema": named})
        case "tool":
            tool = {"name": form.name, "description": f"Give the {form.name}.", "parameters": schema}
            choice = {"type": "function", "function": {"name": form.name}}
            return chat.bind(tools=[{"type": "function", "function": tool}], tool_choice=choice)
        case "json_object":
            return chat.bind(response_format={"type": "json_object"})
    return chat


def _heard(answer: Any, form: Form) -> Said | Trouble:
    """What stands in a message, wherever its form put it."""
    if not isinstance(answer, AIMessage):
        return Trouble("its answer is not of the protocol")
    usage = answer.usage_metadata
    given, made = (usage["input_tokens"], usage["output_tokens"]) if usage else (None, None)
    ended = str(answer.response_metadata.get("finish_reason") or answer.response_metadata.get("stop_reason") or "")
    why = ""
    if answer.additional_kwargs.get("refusal") or ended == "refusal":
        why = "it declined to answer"
    elif ended in {"length", "max_tokens"}:
        why = "its answer was cut off, for it was too long"
    elif ended == "content_filter":
        why = "its endpoint withheld the answer"
    called = [*answer.tool_calls, *answer.invalid_tool_calls]
    if not why and any(call["name"] != form.name for call in called):
        why = "it called a tool that it was not given"
    if why:
        return Trouble(why, unusable=True, tokens_in=given, tokens_out=made)
    args = called[0]["args"] if called else None
    text = args if isinstance(args, str) else json.dumps(args) if args is not None else answer.text
    return Said(str(text), given, made)


def _trouble(error: Exception, timeout: float) -> Trouble:
    """What went wrong, in our words."""
    status = _status(error)
    if isinstance(error, openai.LengthFinishReasonError):
        usage = error.completion.usage
        given, made = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
        return Trouble("its answer was cut off, for it was too long", unusable=True, tokens_in=given, tokens_out=made)
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return Trouble("its endpoint withheld the answer", unusable=True)
    if isinstance(error, TimeoutError | httpx.TimeoutException | openai.APITimeoutError):
        return Trouble(f"no answer within {timeout:g} s", transient=True)
    if status is not None:
        said = f"{_DENIED[status]} (HTTP {status})" if status in _DENIED else f"it answered HTTP {status}"
        return Trouble(said, transient=status in _BUSY or status >= 500, retry_after=_retry_after(error))
    if isinstance(error, openai.APIConnectionError | httpx.TransportError | OSError):
        return Trouble("the connection failed", transient=True)
    return Trouble(f"its answer is not of the protocol ({type(error).__name__})")


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _retry_after(error: Exception) -> timedelta | None:
    """The pause that an endpoint asks for: seconds, or a date."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = str(headers.get("retry-after") or "").strip()
    if not asked:
        return None
    try:
        return timedelta(seconds=max(0.0, float(asked)))
    except (ValueError, OverflowError):
        pass
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    said = str(headers.get("date") or "")
    try:  # the endpoint's own clock says how long that is
        return max(timedelta(0), until - parsedate_to_datetime(said))
    except (ValueError, TypeError):
        return None
