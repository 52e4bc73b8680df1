"""The names and types of attached files. A name is only data: no path is ever made of it on a server."""

from __future__ import annotations

from todo_cli.contract.limits import REFUSED_FILE_SUFFIXES
from todo_cli.core.validation import check_not_blank, check_text
from todo_cli.errors import Invalid

UNKNOWN_TYPE = "application/octet-stream"


def check_name(name: str) -> str:
    """Return the name; raises Invalid for a blank one and for that of a program."""
    check_text("name of the file", check_not_blank("name of the file", name))
    # Windows ignores blanks and dots at the end
    suffix = name.rstrip(". ").lower().rpartition(".")[2]
    if f".{suffix}" in REFUSED_FILE_SUFFIXES:
        raise Invalid(
            f"files of the type .{suffix} cannot be attached: opening one runs it",
            hint="attach an archive, such as a .zip, with the file in it",
        )
    return name


def guess_type(name: str) -> str:
    """Return the media type by the ending of the name, the same on every machine."""
    from mimetypes import MimeTypes

    # without files of the system
    return MimeTypes(()).guess_type(name.replace("/", "_"))[0] or UNKNOWN_TYPE
