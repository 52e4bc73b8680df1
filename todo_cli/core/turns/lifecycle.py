"""How a turn begins, is taken over, is settled when it died, and is stopped."""

from __future__ import annotations

from typing import Any, LiteralString, NoReturn

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import StopTurn, Turn
from todo_cli.contract.turn_steps import ENDED, BeginTurn, Begun
from todo_cli.contract.usage import Budget, spent
from todo_cli.core import validation
from todo_cli.core.accounts.budget_sql import OVER
from todo_cli.core.dispatch import handler
from todo_cli.core.turns.append_sql import APPEND, LEASED, LOCK, StepResult, append, late, result, row
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Steps, Transaction
from todo_cli.errors import Conflict, NotFound

INTERRUPTED = '{"error":"interrupted","detail":"the turn was interrupted before this was done; nothing was changed"}'
REFUSED = '{"error":"refused","detail":"the person did not agree; nothing was changed"}'
MARKS = {"running": "(interrupted)", "answered": "(interrupted)", "awaiting": "(not agreed)"}

_LOCK_ONE = Sql("""SELECT 1 FROM todo.conversations WHERE space_id = %(space)s::uuid AND id = %(conversation)s::uuid
  FOR NO KEY UPDATE""")

# how a turn stands: also which of its calls are open, and the words that an attempt left which died in mid-answer;
# one that has ended (t.last) has no open calls, and all that was said since may lie behind it
_STANDS: LiteralString = """json_build_object('id', t.id, 'state', t.state, 'attempt', t.attempt, 'runner', t.runner,
  'live', t.lease_until > clock_timestamp(), 'events', t.events, 'conversation', t.conversation_id, 'number', c.number,
  'approved', t.approved, 'held', t.held, 'error', t.error, 'head', c.head, 'newest', t.id = c.turn_id,
  'text', (SELECT content FROM todo.messages m WHERE m.space_id = t.space_id AND m.conversation_id = t.conversation_id
      AND m.seq = t.asked),
  'first', (SELECT m.parent IS NULL AND m.parent_of IS NULL FROM todo.messages m WHERE m.space_id = t.space_id
      AND m.conversation_id = t.conversation_id AND m.seq = t.asked),
  'said', (SELECT m.role = 'assistant' AND m.calls IS NULL FROM todo.messages m WHERE m.space_id = t.space_id
      AND m.conversation_id = CASE WHEN c.head_of IS NULL THEN c.id ELSE c.head_of END AND m.seq = c.head),
  'wished', (SELECT json_build_object('seq', m.seq, 'calls', jsonb_array_length(m.calls), 'done', ARRAY(
        SELECT x.call_index FROM todo.messages x WHERE x.space_id = m.space_id AND x.conversation_id = m.conversation_id
           AND x.call_seq = m.seq)) FROM todo.messages m WHERE m.space_id = t.space_id
      AND m.conversation_id = t.conversation_id AND m.seq > t.asked AND m.turn_id = t.id AND m.calls IS NOT NULL
      AND t.last IS NULL ORDER BY m.seq DESC LIMIT 1),
  'dead', (SELECT string_agg(e ->> 'text', '' ORDER BY b.n, place) FROM todo.events b,
      jsonb_array_elements(b.batch) WITH ORDINALITY AS x(e, place) WHERE b.space_id = t.space_id AND b.turn_id = t.id
      AND b.attempt = t.attempt AND b.after = c.head AND e ->> 'kind' = 'words'))"""
_JOINED: LiteralString = """todo.turns t JOIN todo.conversations c ON c.space_id = t.space_id AND c.id = t.conversation_id
  WHERE t.space_id = %(space)s::uuid"""

LOOK = Sql(f"""SELECT json_build_object(
  'known', EXISTS (SELECT FROM todo.conversations WHERE space_id = %(space)s::uuid AND id = %(conversation)s::uuid),
  'gone', (SELECT number FROM todo.conversations WHERE space_id = %(space)s::uuid AND id = %(conversation)s::uuid
      AND deleted_at IS NOT NULL), 'over', {OVER},
  'zone', coalesce((SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid), 'UTC'),
  'mine', (SELECT {_STANDS} FROM {_JOINED} AND t.id = %(turn)s::uuid),
  'last', (SELECT {_STANDS} FROM {_JOINED} AND c.id = %(conversation)s::uuid AND t.id = c.turn_id))::text""")

LOOK_ONE = Sql(f"SELECT {_STANDS}::text FROM {_JOINED} AND t.id = %(turn)s::uuid")

MAKE = Sql("""WITH tick AS (UPDATE todo.spaces SET next_conversation = next_conversation + 1 WHERE id = %(space)s::uuid
    RETURNING next_conversation - 1 AS number)
INSERT INTO todo.conversations (space_id, id, number, title, model)
  SELECT %(space)s::uuid, %(conversation)s::uuid, number, %(title)s, %(model)s FROM tick""")

FORGET = Sql("SELECT todo.forget_events(%(last)s::uuid)")

START = Sql(f"""
WITH was AS MATERIALIZED (SELECT id, number, seq + 1 AS seq, head, head_of FROM todo.conversations
  WHERE space_id = %(space)s::uuid AND id = %(conversation)s::uuid),
moved AS (UPDATE todo.conversations c SET seq = was.seq, head = was.seq, head_of = NULL, turn_id = %(turn)s::uuid,
    updated_at = clock_timestamp(), model = coalesce(%(model)s, c.model)
  FROM was WHERE c.space_id = %(space)s::uuid AND c.id = was.id),
made AS (INSERT INTO todo.turns (space_id, id, conversation_id, runner, lease_until, asked)
  SELECT %(space)s::uuid, %(turn)s::uuid, was.id, %(runner)s::uuid, {LEASED}, was.seq FROM was),
said AS (INSERT INTO todo.messages (space_id, conversation_id, seq, parent, parent_of, turn_id, attempt, role, content, tokens)
  SELECT %(space)s::uuid, was.id, was.seq, was.head, was.head_of, %(turn)s::uuid, 1, 'user', %(text)s,
    length(%(text)s) / 4 + 8 FROM was)
SELECT json_build_object('number', number, 'head', seq, 'first', head IS NULL)::text FROM was
""")


class Wished(msgspec.Struct):
    """The newest calls of a turn: how many, and which have been answered."""

    seq: int
    calls: int
    done: list[int]

    @property
    def open(self) -> list[int]:
        """The places of those that have no answer."""
        return [index for index in range(self.calls) if index not in self.done]


class TurnSnapshot(msgspec.Struct):
    """How a turn stands."""

    id: str
    state: str
    attempt: int
    runner: str
    live: bool
    events: int
    conversation: str
    number: int
    newest: bool
    first: bool
    head: int | None = None
    text: str | None = None
    approved: bool | None = None
    held: list[dict[str, Any]] | None = None
    error: dict[str, Any] | None = None
    said: bool | None = None
    wished: Wished | None = None
    dead: str | None = None


class _Found(msgspec.Struct):
    known: bool
    zone: str
    gone: int | None = None
    over: Budget | None = None
    mine: TurnSnapshot | None = None
    last: TurnSnapshot | None = None


class _Started(msgspec.Struct):
    number: int
    head: int
    first: bool


@handler(BeginTurn)
async def begin_turn(tx: Transaction, request: BeginTurn) -> Begun:
    """Two round trips; three where a turn that died must be settled first."""
    validation.storable("message", request.text or "")
    async with tx.steps() as steps:
        look = await steps.run(_LOCK_ONE, LOOK, conversation=request.conversation, turn=request.turn)
        found = decode(look or "", _Found)
        zone = tx.caller.zone or found.zone
        if found.mine:
            return await _again(steps, request, found.mine, zone)
        if request.text is None:
            no_turn()
        _open(found)
        if found.last and found.last.state not in ENDED:
            await _make_way(steps, found.last)
        ahead = ([] if found.known else [MAKE]) + ([FORGET] if found.last else [])
        values = msgspec.structs.asdict(request) | {
            "title": validation.first_words(request.text),
            "last": found.last and found.last.id,
        }
        started = decode(await steps.finish(*ahead, START, **values) or "", _Started)
    return Begun(conversation=request.conversation, number=started.number, turn=request.turn, state="running", attempt=1,
                 head=started.head, events=0, zone=zone, mine=True, first=started.first)  # fmt: skip


def _open(found: _Found) -> None:
    """Nothing is said in the bin, nor once the day's budget is spent."""
    if found.gone:
        hint = f"bring it back with: todo chat rm {found.gone} --restore"
        raise NotFound(f"conversation {found.gone} is in the bin", hint=hint)
    if found.over:
        raise spent(found.over)


async def _again(steps: Steps, request: BeginTurn, was: TurnSnapshot, zone: str) -> Begun:
    """The same turn once more: watch it, go on with it, or take it over from who died."""
    if was.conversation != request.conversation or request.text not in (None, was.text):
        raise Conflict("the turn's id was used for something else", hint="use a new id for a new turn")
    attempt, mine = was.attempt, False
    dead = was.state == "running" and not was.live
    if was.state == "running" and was.live:
        mine = was.runner == request.runner  # its first answer was lost
    elif dead or was.state == "answered":
        rows = [_dead(was.dead)] if was.dead else []
        values = append(request.turn, was.attempt, rows, state="running", bump=1, runner=request.runner, lease=request.lease,
                        states=["running", "answered"])  # fmt: skip
        line = decode(await steps.finish(APPEND, **values) or "", StepResult)
        attempt, mine = line.attempt + 1, True
    return Begun(conversation=request.conversation, number=was.number, turn=request.turn, attempt=attempt, head=was.head or 0,
                 state=msgspec.convert("running" if mine else was.state, Any), events=was.events, zone=zone, mine=mine,
                 reset=dead, first=was.first)  # fmt: skip


def _dead(text: str) -> dict[str, Any]:
    return row("assistant", text, status="dead", aside=True)


async def _make_way(steps: Steps, last: TurnSnapshot) -> None:
    """Settle the turn before a new one: busy while it runs; a question that was not answered is a no."""
    if last.state == "running" and last.live:
        raise Conflict(
            "the conversation is busy with another message",
            hint=f"follow it with: todo chat resume {last.number}; end it with: todo chat stop {last.number}",
            turn=last.id, reason="busy",
        )  # fmt: skip
    await steps.run(APPEND, **settled(last, "stopped" if last.state == "awaiting" else "failed"))


def settled(last: TurnSnapshot, state: str) -> dict[str, Any]:
    """The values of APPEND that close a turn: every open call has its answer, and the model has spoken last."""
    text = REFUSED if last.state == "awaiting" else INTERRUPTED
    rows = [_dead(last.dead)] if last.dead else []
    if last.wished:
        rows += [result(last.wished.seq, index, text) for index in last.wished.open]
    if not last.said:
        rows.append(row("assistant", MARKS[last.state], status="interrupted"))
    approved = False if last.state == "awaiting" else None
    return append(
        last.id, last.attempt, rows, state=state, approved=approved, states=["running", "awaiting", "answered"]
    )


@handler(StopTurn)
async def stop_turn(tx: Transaction, request: StopTurn) -> Turn:
    """A turn that runs sees it between two events; one that waits or has died is ended here. Three round trips at most."""
    async with tx.steps() as steps:
        text = await steps.run(LOCK, LOOK_ONE, turn=request.turn)
        if text is None:
            no_turn()
        was = decode(text or "", TurnSnapshot)
        if was.state == "running" and was.live:
            await steps.finish(ASK_TO_STOP, turn=request.turn)
        elif was.state not in ENDED:
            line = decode(await steps.finish(APPEND, **settled(was, "stopped")) or "", StepResult)
            if line.fenced:
                raise late(line, was.attempt)
            was.state = "stopped"
    return shown(was)


ASK_TO_STOP = Sql("""UPDATE todo.turns SET stop = true WHERE space_id = %(space)s::uuid AND id = %(turn)s::uuid
  RETURNING 'asked'""")


def no_turn() -> NoReturn:
    """It is not there, or somebody else's."""
    raise NotFound("you have no such turn", hint="see: todo chat list")


def shown(was: TurnSnapshot, **more: Any) -> Turn:
    """A turn as people see it."""
    held = was.held if was.state == "awaiting" else None
    fields = {"id": was.id, "conversation": was.number, "state": was.state, "attempt": was.attempt,
              "approved": was.approved, "held": held or (), "error": was.error}  # fmt: skip
    return msgspec.convert(fields | more, Turn)
