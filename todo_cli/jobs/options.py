"""What the operator sets and allows for workers."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from todo_cli.settings.settings import Settings

MAX_PAUSE_SECONDS = 3_600.0


class Retention(NamedTuple):
    """How long the sweep keeps rows. `usual` is for deliveries, given-up jobs, plans and sessions; None is for ever."""

    usual: timedelta
    trash: timedelta | None = None
    texts: timedelta | None = None


class WorkerOptions(NamedTuple):
    """The options of one worker. `files` has the object store, `titles` the model for titles (None: it titles none)."""

    lease: timedelta
    retry_seconds: float
    keep: Retention
    smtp_url: str | None = None
    mail_from: str | None = None
    allow_private: bool = False
    show_desktop: bool = True
    files: Settings | None = None
    titles: Settings | None = None
    database_url: str = ""

    def pause(self, tries: int) -> timedelta:
        """Return how long to wait after so many failures before: doubled each time, an hour at most."""
        return timedelta(seconds=min(MAX_PAUSE_SECONDS, self.retry_seconds * 2 ** min(tries, 30)))


def read_options(settings: Settings) -> WorkerOptions:
    """Return the options that the settings have."""
    return WorkerOptions(
        lease=timedelta(seconds=settings.worker_lease),
        retry_seconds=settings.worker_retry,
        keep=Retention(
            usual=timedelta(days=settings.worker_keep_days),
            trash=_days(settings.worker_keep_trash_days),
            texts=_days(settings.worker_keep_text_days),
        ),
        smtp_url=settings.worker_smtp_url.reveal() if settings.worker_smtp_url else None,
        mail_from=settings.worker_mail_from,
        allow_private=settings.worker_private_targets,
        show_desktop=settings.worker_desktop,
        files=settings,
        titles=settings if settings.model_titles else None,
    )


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None
