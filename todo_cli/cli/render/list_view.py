"""How a list is shown: the reader's time zone and moment, the signs, and the choices of the command."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from todo_cli.cli.render.signs import Signs, choose_signs
from todo_cli.cli.session import Session

if TYPE_CHECKING:
    from todo_cli.cli.render.task_groups import Grouping


class ListView(NamedTuple):
    """The choices by which tasks are drawn. Nothing else decides, so that a list can be drawn again."""

    zone: tzinfo | None
    now: datetime
    signs: Signs
    absolute: bool = False  # dates as 2026-12-24 09:00
    as_tree: bool = True
    with_urgency: bool = False
    wrap_titles: bool = False
    name_parents: bool = False  # behind a subtask whose parent is not shown: its title, not its number
    group: Grouping = "none"
    week_start: int = 0  # of the reader's weeks: 0 is Monday

    @property
    def today(self) -> date:
        """The reader's day."""
        return self.now.astimezone(self.zone).date()


def open_view(session: Session, *, absolute: bool = False) -> ListView:
    """Return how lists are shown in this session: in the user's time zone, with the signs of the terminal."""
    now = session.local_now()
    signs = choose_signs(session.display.signs)
    return ListView(
        zone=now.tzinfo,
        now=now,
        signs=signs,
        absolute=absolute or session.absolute_dates,
        week_start=session.display.first_weekday,
    )
