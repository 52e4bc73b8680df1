"""Open the output of an export: stdout, or a file that appears under its name only when it is complete."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from todo_cli.errors import Unavailable


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Open stdout or a file in UTF-8, without a translation of line ends; raises Unavailable."""
    if path is None:
        sys.stdout.flush()
        stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
        try:
            yield stream
            stream.flush()
        finally:
            stream.detach()
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}", hint="name another file with: -o FILE") from None
    finally:
        temporary.unlink(missing_ok=True)
