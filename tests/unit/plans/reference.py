"""Writes the generated reference pages: ``python -m tests.unit.plans.reference``."""

from __future__ import annotations

import json
from pathlib import Path

from plans.codes import page
from plans.documents import document_schema

if __name__ == "__main__":
    reference = Path(__file__).parents[3] / "docs" / "reference"
    (reference / "findings.md").write_text(page(), encoding="utf-8")
    (reference / "plan.schema.json").write_text(json.dumps(document_schema(), indent=2) + "\n", encoding="utf-8")
