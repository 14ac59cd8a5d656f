"""What commands write to files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from governance.errors import InvalidInput


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """A new text file to write to.

    Raises:
        InvalidInput: it is there already, or cannot be written.

    """
    try:
        with path.open("x", encoding="utf-8") as file:
            yield file
    except FileExistsError as error:
        raise InvalidInput(
            f"{path} is there already.", hint="Choose another name: an export never writes over a file"
        ) from error
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error
