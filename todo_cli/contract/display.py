"""The preferences by which a client shows answers. Every client reads them, so they have a module of their own."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DateStyle = Literal["relative", "absolute"]
Theme = Literal["auto", "dark", "light", "none"]
SignSet = Literal["unicode", "ascii"]
Confirmations = Literal["always", "bulk", "never"]


class DisplayPreferences(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The preferences by which a client shows answers. They come with every answer."""

    dates: DateStyle | None = None
    theme: Theme | None = None
    signs: SignSet | None = None
    confirm: Confirmations | None = None
    pager: bool | None = None


NO_DISPLAY_PREFERENCES = DisplayPreferences()
