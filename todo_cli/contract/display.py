"""The preferences by which a client shows answers. Every client reads them, so they have a module of their own."""

from typing import Literal

from msgspec import Struct

DateStyle = Literal["relative", "absolute"]
Theme = Literal["auto", "dark", "light", "none"]
SignSet = Literal["unicode", "ascii"]
Confirmations = Literal["always", "bulk", "never"]
WeekDay = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEK_DAYS: tuple[WeekDay, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class DisplayPreferences(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The preferences by which a client shows answers. They come with every answer."""

    dates: DateStyle | None = None
    theme: Theme | None = None
    signs: SignSet | None = None
    confirm: Confirmations | None = None
    pager: bool | None = None
    hints: bool | None = None
    week_start: WeekDay | None = None

    @property
    def first_weekday(self) -> int:
        """The first day of the user's weeks; 0 is Monday."""
        return WEEK_DAYS.index(self.week_start) if self.week_start else 0


NO_DISPLAY_PREFERENCES = DisplayPreferences()
