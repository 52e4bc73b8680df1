"""Names of other tools as ours allow them: a tag is one word, a part of a project has no dot."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

from todo_cli.contract.limits import MAX_NAME_CHARS
from todo_cli.formats.records import STDIN_NAME

_NOT_IN_A_TAG = re.compile(r"[\s,]+")
_LINE_END = re.compile(r"\s*[\r\n]+\s*")


def clean_tag(name: str) -> str:
    """Return a tag with hyphens for blanks and commas."""
    return _NOT_IN_A_TAG.sub("-", name.strip()).removeprefix("@")


def clean_tags(names: Iterable[str]) -> tuple[str, ...]:
    """Return each tag once, in order, as `clean_tag` does."""
    return tuple(dict.fromkeys(filter(None, map(clean_tag, names))))


def clean_line(text: str) -> str:
    """Return a text of several lines as one line: a title or the name of a project."""
    return _LINE_END.sub(" ", text.strip())


def name_file_project(name: str) -> str | None:
    """Return a file's name without its ending as that of a project, null for a file without a name."""
    return clean_line(PurePath(name).stem) or None if name != STDIN_NAME else None


def join_project(parts: Iterable[str]) -> str | None:
    """Return a project from its parts, null for none. A dot inside a part becomes a hyphen."""
    return ".".join(filter(None, (clean_line(part).replace(".", "-") for part in parts))) or None


def read_member(value: object) -> str | None:
    """Return the name of a person of the file, such as `ada`; None for what is no name of a user."""
    name = value.strip() if isinstance(value, str) else ""
    return name if 0 < len(name) <= MAX_NAME_CHARS and len(name.splitlines()) == 1 else None
