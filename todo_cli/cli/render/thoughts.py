"""Print a model's reasoning on a terminal, dimmed and apart from the answer, while it arrives."""

from __future__ import annotations

import sys

from todo_cli.cli.render.stream import PlainWriter


class ThoughtWriter:
    """Prints reasoning on stderr, because it is no part of the answer."""

    def __init__(self) -> None:
        self._writer: PlainWriter | None = None

    def add_text(self, text: str) -> None:
        """Print more reasoning, without the blanks in front of it."""
        if self._writer is None:
            text = text.lstrip()
            if not text:
                return
            self._writer = PlainWriter(write=_write_dimmed)
        self._writer.add_text(text)

    def finish(self) -> None:
        """End the reasoning, if there is any."""
        if self._writer:
            self._writer.finish()
            self._writer = None


def _write_dimmed(text: str) -> None:
    sys.stderr.write(f"\x1b[2m{text}\x1b[0m")
    sys.stderr.flush()
