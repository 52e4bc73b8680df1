"""Values in the text form of the wire protocol come back as they were sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Database
from todo_cli.db import pipeline
from todo_cli.db.pipeline import connect
from todo_cli.db.sql import Sql
from todo_cli.db.text_values import to_text

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
ARRAYS = Sql("SELECT json_build_array(%(texts)s::text[], %(numbers)s::bigint[], %(text)s::text)::text")


class Connection:
    """One connection for all examples."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.connection = self.runner.run(connect(url))

    def select(self, sql: Sql, *values: Any) -> str | None:
        [row] = self.runner.run(pipeline.run(self.connection, [(sql, list(values))]))
        return row[0] if row else None

    def close(self) -> None:
        self.runner.run(self.connection.close())
        self.runner.close()


@pytest.fixture(scope="module")
def connection(db: Database) -> Iterator[Connection]:
    with closing(Connection(db.owner_url)) as opened:
        yield opened


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.one_of(st.none(), TEXT)), numbers=st.lists(st.integers(-(2**63), 2**63 - 1)), text=TEXT)
def test_arrays_of_any_text_and_number_come_back(
    connection: Connection, texts: list[str | None], numbers: list[int], text: str
) -> None:
    found = connection.select(ARRAYS, texts, numbers, text)
    assert json.loads(found or "") == [texts, numbers, text]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("boolean", True, "true"),
        ("boolean", False, "false"),
        ("float8", 0.1, "0.1"),
        ("bytea", b"\x00\\\xff", "\\x005cff"),
        ("date", date(1, 1, 1), "0001-01-01"),
        ("timestamptz", datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-01-02 03:04:05.000006+00"),
        ("int", None, None),
    ],
)
def test_scalars_come_back(connection: Connection, kind: str, value: Any, expected: str | None) -> None:
    connection.select(Sql("SELECT set_config('TimeZone', 'UTC', false)"))
    assert connection.select(Sql(f"SELECT (%(value)s::{kind})::text"), value) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["a\0b", ["a\0b"]])
def test_nul_character_raises_data_error(value: Any) -> None:
    with pytest.raises(psycopg.DataError):
        to_text(value)


def test_integers_of_every_size_share_one_prepared_statement(connection: Connection) -> None:
    statement = Sql("SELECT (%(value)s::bigint + 0)::text")
    assert [connection.select(statement, value) for value in (1, 2**20, 2**40)] == ["1", str(2**20), str(2**40)]
    count = Sql("SELECT count(*)::text FROM pg_prepared_statements WHERE statement = 'SELECT ($1::bigint + 0)::text'")
    assert connection.select(count) == "1"
