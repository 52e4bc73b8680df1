"""What a turn costs in a conversation of 100,000 messages is what it costs in one of 100: counted, not timed.

Rows read and rows written are Postgres' own counts, of every table. What is written is counted in the write-ahead log,
record by record. What remains outside of the comparison, because it belongs to a page and not to a turn: that an index
page is split when it is full, that dead rows are pruned, and how much of an updated row is logged (what it has in common
with the row before is left out, and two timestamps have more or fewer bytes in common): updates are compared by their
number, and the rows by their size. An instant within a row's JSON loses its last digit once in ten times.

Two more costs of a page are kept out of the run by QUIET: an update that finds no room on its page locks the row first
and adds to each index; and an index-only scan does not read a page that a vacuum marked as visible to all, until the
next row is added to it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg
import pytest

from tests.conftest import Database, Person, _copy, wait_for
from tests.support.chat import Chat
from tests.support.many_users import OTHERS, TASKS
from todo_cli.agent import attempt
from todo_cli.contract.conversations import ListConversations, MoveHead, RedoTurn, ShowConversation, StopTurn, UndoTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.local_postgres.cluster import LocalPostgres

LAST = 100_100
SINCE = 40
"""Messages since the summary."""

TURNS = """INSERT INTO todo.turns (space_id, id, user_id, conversation_id, state, runner, lease_until, asked, last, ended_at)
SELECT space_id, md5(id::text || n)::uuid, user_id, id, 'done', id, now(), n, n + 3, now()
  FROM todo.conversations, generate_series(%s::int, %s::int, 4) AS n WHERE id = %s"""
MESSAGES = """INSERT INTO todo.messages (space_id, conversation_id, seq, parent, user_id, turn_id, attempt, role, content, tokens, calls,
    call_seq, call_index)
SELECT space_id, id, n, CASE WHEN n > f THEN n - 1 END, user_id, md5(id::text || (n - mod(n - f, 4)))::uuid, 1,
    (ARRAY['user', 'assistant', 'tool', 'assistant'])[1 + mod(n - f, 4)], 'said before, at ' || n, 12,
    CASE WHEN mod(n - f, 4) = 1 THEN '[{"name":"list_tasks","arguments":"{}","id":""}]'::jsonb END,
    CASE WHEN mod(n - f, 4) = 2 THEN n - 1 END, CASE WHEN mod(n - f, 4) = 2 THEN 0 END
  FROM todo.conversations, generate_series(%s::int, %s::int) AS n, (VALUES (%s::int)) AS first(f) WHERE id = %s"""
SUMMARIES = """INSERT INTO todo.messages (space_id, conversation_id, seq, user_id, turn_id, attempt, role, content, tokens, reaches)
SELECT space_id, id, 200000 + n, user_id, turn_id, 1, 'summary', 'They spoke of tasks.', 12, n
  FROM todo.conversations, generate_series(%s::int - 400 * (%s::int / 500), %s::int, 400) AS n WHERE id = %s"""
NEWEST = """UPDATE todo.conversations SET seq = 400000, head = %s, turn_id = md5(id::text || (%s::int - 3))::uuid WHERE id = %s"""


QUIET = """SELECT 'ALTER TABLE todo.' || relname || ' SET (autovacuum_enabled = off, toast.autovacuum_enabled = off' ||
    CASE WHEN relname = 'tasks' OR reloptions IS NOT NULL THEN ', fillfactor = 20)' ELSE ')' END
  FROM pg_class WHERE relnamespace = 'todo'::regnamespace AND relkind = 'r'"""
"""No vacuum runs in between, and the rows that are updated find room on their page."""

# many enough that Postgres uses its indexes, as it does in any list that is in use
CROWD = """
INSERT INTO todo.conversations (space_id, id, user_id, number, title)
  SELECT m.space_id, md5(m.space_id::text || n)::uuid, m.user_id, n, 'a title' FROM todo.members m, generate_series(2, 4) AS n;
INSERT INTO todo.turns (space_id, id, user_id, conversation_id, state, runner, lease_until, asked)
  SELECT space_id, id, user_id, id, 'done', id, now(), 1 FROM todo.conversations WHERE number > 1;
INSERT INTO todo.plans (space_id, id, user_id, token_id, verb, arguments, targets, differences, expires_at)
  SELECT space_id, id, user_id, user_id, 'DeleteTasks', '{{}}', '[]', '[]', now() FROM todo.conversations WHERE number > 1;
UPDATE todo.spaces SET next_conversation = 5;
"""


class Grown(NamedTuple):
    """Two conversations of a hundred and of a hundred thousand messages; the seqs of both have as many digits."""

    db: Database
    few: Person
    many: Person
    ids: dict[Person, str]


@pytest.fixture(scope="module")
def grown(postgres: LocalPostgres, template: str) -> Iterator[Grown]:
    for db in _copy(postgres, template):
        for (statement,) in db.execute(QUIET):
            db.execute(statement)
        people, ids = [db.person(), db.person()], {}
        with psycopg.connect(db.owner_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute((OTHERS + TASKS + CROWD).format(people=1_500, each=4))
        for who, count in zip(people, (100, 100_000), strict=True):
            chat = Chat(db, who)
            chat.say("first", [["add_task", {"title": "x"}]], ["ok"])
            chat.close()
            _grow(db, chat.id, count)
            ids[who] = chat.id
        db.execute("CREATE EXTENSION pg_walinspect")
        db.execute("ANALYZE")
        made = Grown(db, *people, ids)
        for name in COSTS:  # what comes first in an empty table is another cost
            for who in people:
                _cost(made, who, name)
        yield made


def _grow(db: Database, conversation: str, count: int) -> None:
    """As if that much had been said, a summary in between every 400 messages, the last one SINCE messages ago."""
    first = LAST - count + 1
    with psycopg.connect(db.owner_url) as connection:
        connection.execute("SET session_replication_role = replica")  # what is referred to is there
        connection.execute(TURNS, [first, LAST, conversation])
        connection.execute(MESSAGES, [first, LAST, first, conversation])
        connection.execute(SUMMARIES, [LAST - SINCE, count, LAST - SINCE, conversation])
        connection.execute(NEWEST, [LAST, LAST, conversation])


# -- what is done, three times ------------------------------------------------------------------------


def _turn(chat: Chat) -> None:
    chat.say("add it", [["add_task", {"title": "x"}]], ["ok"])


def _tight(chat: Chat) -> None:
    chat.say("add it", [["add_task", {"title": "x"}]], ["ok"], budget_tokens=300)  # it holds twenty-five messages


def _asks(chat: Chat) -> None:
    turn, numbers = new_id(), [number for number, _, status in chat.tasks() if status == "open"][:2]
    calls = [["list_tasks", {}]], [["delete_task", {"numbers": numbers}]]
    assert chat.say("delete two", *calls, turn=turn).state == "awaiting"
    chat(StopTurn(turn=turn))


def _dies(chat: Chat) -> None:
    begin = BeginTurn(conversation=chat.id, turn=new_id(), runner=new_id(), text="I die")
    chat(begin)
    chat.db.execute(
        "UPDATE todo.turns SET lease_until = now() WHERE space_id = %s AND user_id = %s AND id = %s",
        chat.who.user_id,
        chat.who.user_id,
        begin.turn,
    )
    assert chat.say(None, ["taken over"], turn=begin.turn).state == "done"


def _goes_back(chat: Chat) -> None:
    turn = new_id()
    chat.say("add it", [["add_task", {"title": "x"}]], ["ok"], turn=turn)
    chat(UndoTurn(turn=turn))
    chat(RedoTurn(turn=turn))
    chat(MoveHead(number=chat.number, to=LAST))


def _looks(chat: Chat) -> None:
    chat(ShowConversation(number=chat.number))
    chat(ListConversations())
    oldest = chat.db.execute(
        "SELECT id FROM todo.turns WHERE user_id = %s AND conversation_id = %s ORDER BY asked LIMIT 1",
        chat.who.user_id,
        chat.id,
    )
    assert chat.say("first", turn=str(oldest[0][0])).state == "done"  # sent once more, much later


COSTS: dict[str, Callable[[Chat], None]] = {
    "a turn": _turn,
    "a turn beyond its budget": _tight,
    "a turn that asks": _asks,
    "a turn that is taken over": _dies,
    "undo, redo and going back": _goes_back,
    "looking": _looks,
}


@pytest.mark.parametrize("name", COSTS)
def test_turn_cost_at_100_000_messages_equals_a_short_conversation(
    grown: Grown, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # on a machine that is slow one more batch of events would be written than on one that is not
    monkeypatch.setattr(attempt, "FLUSH_INTERVAL_SECONDS", 3600.0)
    monkeypatch.setattr(attempt, "HEARTBEAT_SECONDS", 3600.0)
    few, many = (_cost(grown, who, name) for who in (grown.few, grown.many))
    assert {**many.rows, **SIGN_IN} == {**few.rows, **SIGN_IN}
    assert few.rows["messages", "read"] > 20
    assert many.records == few.records
    for what, written in few.written.items():
        assert abs(many.written[what] - written) <= INSTANTS * few.records[what] * (what[1] in JSON), what
    assert many.others <= HOUSEKEEPING
    assert len(many.sizes) == len(few.sizes)
    assert all(abs(one - other) <= INSTANTS for one, other in zip(many.sizes, few.sizes, strict=True))


# -- counting -----------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """Rows by table and what was done; records of the log, and bytes of those that are whole, by kind and relation; other
    kinds of record; the sizes of the newest rows that were updated."""

    rows: Counter[tuple[str, str]]
    records: Counter[tuple[str, str]]
    written: Counter[tuple[str, str]]
    others: set[str]
    sizes: list[int]


ROWS = """SELECT relname, idx_tup_fetch + seq_tup_read, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables
 WHERE schemaname = 'todo'"""
CLIENTS = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND backend_type = 'client backend'"""
RECORDS = """SELECT resource_manager || ' ' || record_type, record_length, description, block_ref
  FROM pg_get_wal_records_info(%s::text::pg_lsn, %s::text::pg_lsn) WHERE block_ref <> ''"""
FILES = """SELECT pg_relation_filenode(oid), relname FROM pg_class WHERE relnamespace = 'todo'::regnamespace AND relkind IN ('r', 'i', 't')"""
SIZES = """SELECT pg_column_size(c) FROM todo.conversations c WHERE id = %s UNION ALL
  (SELECT pg_column_size(t) FROM todo.turns t WHERE conversation_id = %s AND asked > 400000 ORDER BY asked DESC LIMIT 3)"""
SIGN_IN = {(table, "read"): 0 for table in ("members", "tokens", "users", "spaces")}
"""What signing in reads: the same a request, but who watches asks as often as there is time for."""
JSON = ("changes", "plans", "messages")
INSTANTS = 8
"""Bytes by which rows with instants or numbers in JSON may differ."""

SAME = re.compile(r"Heap2? (INSERT|HEAP_CONFIRM|DELETE|LOCK|MULTI_INSERT|LOCK_UPDATED)(\+INIT)?")
UPDATED = re.compile(r"Heap (HOT_)?UPDATE(\+INIT)?")
ENTRY = re.compile(r"Btree (INSERT_LEAF|INSERT_POST|SPLIT_[LR])")
HOUSEKEEPING = {
    *(
        f"Btree {one}"
        for one in ("NEWROOT", "SPLIT_L", "SPLIT_R", "INSERT_UPPER", "DEDUP", "DELETE", "VACUUM", "REUSE_PAGE")
    ),
    *(
        f"Heap2 {one}"
        for one in (
            "PRUNE",
            "PRUNE_ON_ACCESS",
            "PRUNE_VACUUM_SCAN",
            "PRUNE_VACUUM_CLEANUP",
            "VACUUM",
            "VISIBLE",
            "FREEZE_PAGE",
        )
    ),
    "XLOG FPI",
    "XLOG FPI_FOR_HINT",
    # the index of words: what comes is put into a list, which one of many empties into its tree
    *(
        f"Gin {one}"
        for one in (
            "UPDATE_META_PAGE",
            "INSERT_LISTPAGE",
            "DELETE_LISTPAGE",
            "INSERT",
            "SPLIT",
            "CREATE_PTREE",
            "VACUUM_PAGE",
            "VACUUM_DATA_LEAF_PAGE",
            "DELETE_PAGE",
        )
    ),
}


def _cost(grown: Grown, who: Person, name: str) -> Cost:
    """Of three times the same, on a new connection."""
    db = grown.db
    before, at = _rows(db), _logged(db)
    chat = Chat(db, who, grown.ids[who])
    for _ in range(3):
        COSTS[name](chat)
    chat.close()
    end = _logged(db)
    rows = _rows(db)
    rows.subtract(before)
    sizes = [size for (size,) in db.execute(SIZES, chat.id, chat.id)]
    return Cost(+rows, *_records(db, at, end), sizes)


def _logged(db: Database) -> str:
    """Where the log ends, once all of it can be read."""
    end = db.execute("SELECT pg_current_wal_insert_lsn()::text")[0][0]
    db.execute("SELECT pg_switch_wal()")
    return str(end)


def _rows(db: Database) -> Counter[tuple[str, str]]:
    """So far, once everybody has gone and said so."""
    wait_for(lambda: db.execute(CLIENTS) == [(0,)])
    names = ("read", "added", "changed", "deleted")
    return Counter(
        {(table, what): int(n or 0) for table, *many in db.execute(ROWS) for what, n in zip(names, many, strict=True)}
    )


def _records(db: Database, at: str, end: str) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]], set[str]]:
    """What was logged of the tables in between: records, bytes of those that are whole, and the kinds of all else."""
    files: dict[str, str] = {str(number): name for number, name in db.execute(FILES)}
    records: Counter[tuple[str, str]] = Counter()
    written: Counter[tuple[str, str]] = Counter()
    others: set[str] = set()
    for kind, length, description, blocks in db.execute(RECORDS, at, end):
        table = files.get(re.findall(r"rel \d+/\d+/(\d+)", blocks)[0])
        if table is None:
            continue  # another database, or the catalogue
        if SAME.fullmatch(kind):
            what = (kind.removesuffix("+INIT"), table)
            records[what] += 1
            written[what] += length
        elif UPDATED.fullmatch(kind):
            records["update", table] += 1
        elif ENTRY.fullmatch(kind) and ("SPLIT" not in kind or re.search(r"level:? 0\b", description)):
            records["entry", table] += 1
        else:
            others.add(kind)
    return records, written, others
