"""Where log lines and stack traces go: to a file in the state folder, never before a user."""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path


class _LateFile(logging.FileHandler):
    """A log file whose folder is made with its first line, so that a command that logs nothing leaves nothing."""

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()


def log_to_file(state: Path, level: str) -> None:
    """For commands that end: what happens inside is kept in ``steward.log`` and does not disturb the screen."""
    _configure(_LateFile(state / "logs" / "steward.log", delay=True, encoding="utf-8"), level)


def log_to_screen(level: str) -> None:
    """For commands that serve: one line for each event, on stderr."""
    _configure(logging.StreamHandler(sys.stderr), level)


def keep_trace(error: BaseException, state: Path) -> Path:
    """Write an unexpected error's trace to a file of its own; its path."""
    name = f"error-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.log"
    text = "".join(traceback.format_exception(error))
    path = _folder(state) / name
    path.write_text(f"steward {' '.join(sys.argv[1:2])}\n\n{text}", encoding="utf-8")
    return path


def _folder(state: Path) -> Path:
    """The state folder's ``logs``; where that cannot be written, one among the machine's temporary files."""
    folder = state / "logs"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
        return folder
    return Path(tempfile.mkdtemp(prefix="steward-logs-"))


def _configure(handler: logging.Handler, level: str) -> None:
    import structlog  # noqa: PLC0415 - `--help` must not wait for it

    number = logging.getLevelNamesMapping().get(level.upper(), logging.WARNING)
    logging.raiseExceptions = False
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=max(number, logging.INFO), handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
