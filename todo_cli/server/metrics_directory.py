"""The directory in which the worker processes of a server share their metrics."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def create_metrics_directory(*, is_needed: bool) -> Iterator[None]:
    """Create a new directory for the metrics of the workers: files of earlier processes would be counted again."""
    if not is_needed:
        yield
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="todo-metrics-") as directory:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        yield
