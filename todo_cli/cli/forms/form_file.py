"""The file in which a form is edited: private, kept where its text would be lost, and removed otherwise."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from todo_cli.cli.render.text import note
from todo_cli.cli.text_editor import edit_file
from todo_cli.errors import Proposed, TodoError

FILE_MODE = 0o600


class FormFile:
    """A file in a directory of its own, which other users cannot enter.

    At the end of the `with` block it is removed. Where an error ends the block, a text that the user has changed is
    kept, and the error names its path.
    """

    def __init__(self, name: str) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="todo-"))
        self._path = self._directory / name
        self._written = b""
        self._first = b""

    def __enter__(self) -> FormFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, Proposed) or not self._has_text():
            shutil.rmtree(self._directory, ignore_errors=True)
        elif isinstance(error, TodoError):
            error.hint = "; ".join(filter(None, (error.hint, f"your text is kept in {self._path}")))
        else:
            note(f"\nYour text is kept in {self._path}")

    def _has_text(self) -> bool:
        try:
            text = self._path.read_bytes()
        except OSError:
            return False
        return text != self._first and bool(text.strip())

    def edit(self, text: bytes) -> bytes:
        """Return the text as the editor leaves it. Raise Invalid or TodoError where the editor fails."""
        if text != self._written:
            self._write(text)
        self._first = self._first or text
        edit_file(self._path)
        self._written = self._read()
        return self._written

    def _read(self) -> bytes:
        """Read the file by its name: many editors put a new one in its place. A removed file is an empty one."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""

    def _write(self, text: bytes) -> None:
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as file:
            file.write(text)
