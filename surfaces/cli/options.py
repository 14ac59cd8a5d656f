"""The options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.priority import Priority

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]
By = Annotated[
    str,
    typer.Option("--by", metavar="EMAIL", envvar="STEWARD_USER", help="Who acts; somebody of `steward people`."),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, in words that others will read.")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Work on the run until it ends or waits; or only leave it to a worker.")
]
RequestFile = Annotated[
    Path | None, typer.Option("--request", metavar="FILE", help="The request, as JSON or YAML; - reads stdin.")
]
Urgency = Annotated[
    Priority | None,
    typer.Option("--priority", case_sensitive=False, help="How urgent it is; else as the playbook says."),
]
RequestText = Annotated[str | None, typer.Option("--text", help="The request, in words.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]
PlaybookName = Annotated[str, typer.Argument(metavar="PLAYBOOK", help="For instance onboarding or onboarding@1.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or the beginning of it.")]
ReviewId = Annotated[str, typer.Argument(metavar="REVIEW", help="A review's id, or the beginning of it.")]
