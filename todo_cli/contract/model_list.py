"""Which models there are to talk with."""

from __future__ import annotations

from msgspec import Struct


class ModelList(Struct, frozen=True, kw_only=True):
    """The model that answers where none is named, and those that may be named; none where its server keeps no list."""

    model: str
    models: tuple[str, ...] = ()
