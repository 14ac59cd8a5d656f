"""The deciders, as this process has them, put to the corpus of requests."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from agents.evaluation.corpus import load_corpus
from agents.evaluation.picture import draw
from agents.evaluation.planning import Ground
from agents.evaluation.report import Evaluation, compared, document, group_rows, page
from agents.evaluation.trial import Bench, Part, Tick, measure
from agents.offline.planner import OfflinePlanner
from agents.offline.triage import OfflineTriage
from governance.errors import InvalidInput
from graphs.fold import MAX_REPAIRS
from runtime.knowledge import Knowledge

__all__ = ["Evaluation", "Part", "compared", "document", "evaluate", "group_rows", "require_model", "write_report"]

SAMPLE_SEED = 20261123


def require_model(knowledge: Knowledge) -> None:
    """Make sure that a model has a say here.

    Raises:
        InvalidInput: rules decide everything that the corpus is about.

    """
    if isinstance(knowledge.triage, OfflineTriage) and isinstance(knowledge.planner, OfflinePlanner):
        raise InvalidInput(
            "No model is set, so there are only the offline rules to measure.",
            hint="Set STEWARD_MODEL and STEWARD_MODEL_API_KEY or STEWARD_MODEL_BASE_URL, or say --against offline",
        )


async def evaluate(
    knowledge: Knowledge, *, against: str, parts: Sequence[Part], tick: Tick, sample: int | None = None
) -> Evaluation:
    """Put the corpus, or ``sample`` cases of it, to the triage and the planner of ``knowledge``.

    Raises:
        InvalidSettings: the corpus cannot be used.
        NotFound: the corpus' requester is not in the directory.

    """
    corpus = load_corpus()
    if sample is not None:
        corpus = corpus.sample(sample, SAMPLE_SEED)
    tools = {tool.id: tool.spec for tool in knowledge.catalog.tools}
    ground = Ground(tools, knowledge.policy, knowledge.directory, MAX_REPAIRS)
    began = time.perf_counter()
    bench = Bench(knowledge.triage, knowledge.planner, knowledge.playbooks, ground)
    results = await measure(corpus, bench, parts, tick)
    return Evaluation(against, results, time.perf_counter() - began)


def write_report(evaluation: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write ``eval.json``, ``eval.md`` and ``eval.svg``.

    Raises:
        InvalidInput: the folder cannot be written.

    """
    contents = {
        "eval.json": json.dumps(document(evaluation), ensure_ascii=False, indent=1) + "\n",
        "eval.md": page(evaluation),
        "eval.svg": draw(evaluation),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error.strerror}.", hint="Name another folder") from error
    return tuple(folder / name for name in contents)
