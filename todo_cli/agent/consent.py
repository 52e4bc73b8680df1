"""Work out what a person asked for: the tasks that their own words name, and the references to the turn before.

Results, titles, attached files and the model's texts are no words of the person. They only restrict.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from todo_cli.agent.approval_policy import ParsedCall, completed_calls
from todo_cli.agent.messages import complete_turns
from todo_cli.agent.references import TurnBefore, find_references
from todo_cli.agent.shown_tasks import CHANGED_FIELDS, read_tasks
from todo_cli.agent.spoken_numbers import spoken_numbers
from todo_cli.contract.attached_text import remove_attachment
from todo_cli.contract.consent import Consent
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.turn_steps import Message
from todo_cli.parsing.task_names import spoken_words

MAX_SPOKEN_CHARS = 20_000
"""Characters of a message in which tasks are named; changing a task that is named only behind them needs approval."""


def make_consent(messages: Sequence[Message], turn: str) -> Consent:
    """Return what the person's message of the turn allows, and what the turn has changed already."""
    own = [message for message in messages if message.turn == turn]
    before = _read_turn_before(messages, turn)
    text = _spoken_text(own)
    titles = before.shown | _read_shown(own)
    added = {number for call, content in completed_calls(own) if call.kind is AddTask for number in read_tasks(content)}
    return Consent(
        numbers=frozenset(spoken_numbers(text) | find_references(text, before, titles) | added),
        # the answer to a question of the model continues the message that raised the question
        words=spoken_words(f"{before.message}\n{text}" if before.is_open_question else text),
        titles=titles,
        touched=_list_touched(own),
    )


def touched_tasks(call: ParsedCall, content: str) -> frozenset[int]:
    """Return the tasks that a call has changed, by its result. What it added is not touched."""
    is_touching = call.is_change and call.kind is not AddTask
    return frozenset(read_tasks(content, CHANGED_FIELDS)) if is_touching else frozenset()


def _read_turn_before(messages: Sequence[Message], turn: str) -> TurnBefore:
    turns = [list(group) for _, group in groupby(complete_turns(messages), key=lambda message: message.turn)]
    place = next((place for place, group in enumerate(turns) if group[0].turn == turn), 0)
    if place == 0:
        return TurnBefore({}, frozenset(), "", "")
    before = turns[place - 1]
    answer = "\n".join(message.content for message in before if message.role == "assistant")
    listed = _read_shown([message for group in turns[:place] for message in group])
    shown = _read_shown(before)
    mentioned = TurnBefore(listed, frozenset(), "", answer).mentioned_numbers
    shown |= {number: listed[number] for number in mentioned}
    changed = {number for call, content in completed_calls(before) if call.is_change for number in read_tasks(content)}
    return TurnBefore(shown, frozenset(changed), _spoken_text(before), answer)


def _spoken_text(messages: Sequence[Message]) -> str:
    texts = [remove_attachment(message.content) for message in messages if message.role == "user"]
    return "\n".join(texts)[:MAX_SPOKEN_CHARS]


def _read_shown(messages: Sequence[Message]) -> dict[int, str]:
    results = [read_tasks(message.content) for message in messages if message.role == "tool"]
    return {number: title for tasks in results for number, title in tasks.items()}


def _list_touched(messages: Sequence[Message]) -> frozenset[int]:
    return frozenset().union(*(touched_tasks(call, content) for call, content in completed_calls(messages)))
