"""Semantic types: strings that are not interchangeable, though all of them are strings.

They travel in JSON Schema as ``x-semantic``, so that the checker can tell an ``AccountId`` from an ``EmployeeId``
wherever a schema comes from: our tools, a company's, or a playbook's request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

KEYWORD = "x-semantic"


@dataclass(frozen=True)
class Semantic:
    """Annotation that names a semantic type: ``Annotated[str, Semantic("AccountId")]``."""

    name: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema: dict[str, Any] = handler(core)
        schema[KEYWORD] = self.name
        return schema


AccountId = Annotated[str, Semantic("AccountId")]
EmployeeId = Annotated[str, Semantic("EmployeeId")]
PositionId = Annotated[str, Semantic("PositionId")]
DeskCode = Annotated[str, Semantic("DeskCode")]
AssignmentId = Annotated[str, Semantic("AssignmentId")]
BadgeId = Annotated[str, Semantic("BadgeId")]
CourseId = Annotated[str, Semantic("CourseId")]
EnrolmentId = Annotated[str, Semantic("EnrolmentId")]
BenefitPlanId = Annotated[str, Semantic("BenefitPlanId")]
BenefitEnrolmentId = Annotated[str, Semantic("BenefitEnrolmentId")]
ExpenseAccountId = Annotated[str, Semantic("ExpenseAccountId")]
MessageId = Annotated[str, Semantic("MessageId")]
Department = Annotated[str, Semantic("Department")]
Site = Annotated[str, Semantic("Site")]
Email = Annotated[str, Semantic("Email")]
GroupName = Annotated[str, Semantic("GroupName")]
PersonName = Annotated[str, Semantic("PersonName")]
SupplierStanding = Annotated[Literal["known", "new", "blocked"], Semantic("SupplierStanding")]
BudgetLeft = Annotated[int, Semantic("BudgetLeft")]
OrderId = Annotated[str, Semantic("OrderId")]
ReservationId = Annotated[str, Semantic("ReservationId")]
TicketId = Annotated[str, Semantic("TicketId")]
InvoiceId = Annotated[str, Semantic("InvoiceId")]
CustomerId = Annotated[str, Semantic("CustomerId")]
CreditNoteId = Annotated[str, Semantic("CreditNoteId")]
