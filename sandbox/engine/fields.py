"""Field types that several systems use, and the two ways of spelling field names."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from sandbox.engine.store import JsonObject

AccountId = Annotated[str, StringConstraints(pattern=r"^acc-\d{6}$")]
EmployeeId = Annotated[str, StringConstraints(pattern=r"^E-\d{4,6}$")]
Mail = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", max_length=254)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]
SalaryCents = Annotated[int, Field(ge=1_000_000, le=100_000_000)]


class Snake(BaseModel):
    """A request body with snake_case fields; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")

    def fields(self) -> JsonObject:
        """Give all fields as JSON values, under the names that the system uses."""
        return self.model_dump(mode="json", by_alias=True)


class Camel(BaseModel):
    """A request body with camelCase fields; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    def fields(self) -> JsonObject:
        """Give all fields as JSON values, under the names that the system uses."""
        return self.model_dump(mode="json", by_alias=True)
