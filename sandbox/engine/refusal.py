"""A refusal: how a system says no, before its own error shape is put around it."""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


class Refusal(Exception):
    """A call that is answered with an error.

    `status` 0 stands for "the status this system uses for invalid input". `fields` are pairs of field and problem.
    `extra` goes into the error object, such as the id of the record that is in the way.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: tuple[tuple[str, str], ...] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


def invalid(**problems: str) -> Refusal:
    """Make the refusal of input whose named fields have these problems."""
    return Refusal(0, "invalid", _sentence(tuple(problems)), fields=tuple(problems.items()))


def not_found(what: str, identifier: str) -> Refusal:
    """Make the refusal of a call on a record that is not there."""
    return Refusal(404, "not_found", f"There is no {what} {identifier}.")


def from_validation(error: RequestValidationError | ValidationError) -> Refusal:
    """Make one refusal with every field error that the framework found."""
    fields = tuple((_field(problem["loc"]), str(problem["msg"])) for problem in error.errors())
    return Refusal(0, "invalid", _sentence(tuple(name for name, _ in fields)), fields=fields)


def from_http(error: HTTPException) -> Refusal:
    """Make the refusal for an address or a method that the system does not have."""
    code = _HTTP_CODES.get(error.status_code, "bad_request")
    return Refusal(error.status_code, code, str(error.detail), headers=error.headers)


def _field(place: tuple[int | str, ...]) -> str:
    inner = [str(part) for part in place[1:]] if place and place[0] in {"body", "query", "path", "header"} else []
    names = [part for part in inner if not part.isdigit()]
    return ".".join(names) or "body"


def _sentence(names: tuple[str, ...]) -> str:
    return f"These fields do not hold: {', '.join(dict.fromkeys(names))}."
