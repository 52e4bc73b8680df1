"""All text of a Request is in Unicode's form NFC: two spellings of one name are one name."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec
import pytest

from tests.conftest import Todo
from tests.support.ask import Ask
from todo_cli.contract.base import Request
from todo_cli.contract.codec import check_request, convert_request, decode_request, to_builtins
from todo_cli.contract.comments import AddComment, ListComments
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.tasks import AddTask, AddTasks, EditTasks, ListTasks, NewTask
from todo_cli.contract.tokens import CreateToken, RevokeToken
from todo_cli.contract.views import ListProjects, ListTags, ListViews, SaveView
from todo_cli.errors import Invalid

COMPOSED, DECOMPOSED = "café", "cafe\u0301"


def make_match(pattern: str) -> str:
    """Return a text of ASCII that matches the pattern of a field."""
    samples = (
        "0" * 36,
        "0" * 32,
        "csv",
        "1",
        "0" * 64,
        "ada@example.org",
        "text/plain",
        "00000000-0000-7000-8000-000000000000",
    )
    return next(sample for sample in samples if re.search(pattern, sample))


def make_sample(kind: Any) -> Any:
    """Return a value of the type as JSON has it, with decomposed text wherever the type allows free text."""
    types = msgspec.inspect
    match kind:
        case types.Metadata():
            return make_sample(kind.type)
        case types.StrType():
            text = DECOMPOSED * (1 + (kind.min_length or 0) // len(DECOMPOSED))
            return text if kind.pattern is None else make_match(kind.pattern)
        case types.CustomType():
            return "0" * 32  # a secret
        case types.BytesType():
            return ""
        case types.IntType() | types.FloatType():
            return max(kind.ge or 1, 1)
        case types.VarTupleType() | types.ListType() | types.FrozenSetType():
            return [make_sample(kind.item_type)]
        case types.DictType():
            return {"1" if isinstance(kind.key_type, types.IntType) else "title": DECOMPOSED}
        case types.LiteralType():
            return kind.values[0]
        case types.UnionType():
            return make_sample(max(kind.types, key=lambda item: not isinstance(item, types.NoneType)))
        case types.StructType():
            return {field.encode_name: make_sample(field.type) for field in kind.fields}
        case types.BoolType():
            return True
        case types.DateTimeType():
            return "2030-01-01T00:00:00Z"
    return None


def all_texts(value: Any) -> list[str]:
    """Return every text in a value of JSON."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in all_texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in all_texts(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_request_with_decomposed_text_is_composed_by_every_way_in(kind: type[Request[Any]]) -> None:
    sample = make_sample(msgspec.inspect.type_info(kind))
    request = convert_request(sample, kind)
    readings = [
        decode_request(msgspec.json.encode(sample), kind),
        decode_request(msgspec.json.encode(sample).replace(b"\xcc\x81", b"\\u0301"), kind),
        convert_request(sample, kind),
        check_request(request),
    ]
    for reading in readings:
        texts = all_texts(to_builtins(reading))
        assert [text for text in texts if not unicodedata.is_normalized("NFC", text)] == []
    assert all(reading == readings[0] for reading in readings)


def test_title_length_with_decomposed_text_counts_composed_characters() -> None:
    assert check_request(AddTask(title="e\u0301" * 1_000)).title == "é" * 1_000
    with pytest.raises(Invalid, match="1,000 characters"):
        check_request(AddTask(title="\u0958" * 600))  # U+0958 has no composed form: two characters each


def test_names_in_both_forms_are_one_name(ask: Ask) -> None:
    first = ask(AddTask(title=f"Meet at the {COMPOSED}", project=COMPOSED, tags=(COMPOSED,)))
    second = ask(AddTask(title=f"Leave the {DECOMPOSED} #{DECOMPOSED} @{DECOMPOSED}", parse=True))
    ask(AddTasks(tasks=(NewTask(title="third", project=DECOMPOSED, tags=(DECOMPOSED,)),)))
    assert [(used.name, used.tasks) for used in ask(ListTags()).used] == [(COMPOSED, 3)]
    assert [(used.name, used.tasks) for used in ask(ListProjects()).used] == [(COMPOSED, 3)]
    assert len(ask(ListTasks(filter=f"@{DECOMPOSED} #{DECOMPOSED} title:{DECOMPOSED}")).tasks) == 2
    assert len(ask(ListTasks(tag=DECOMPOSED)).tasks) == len(ask(ListTasks(project=DECOMPOSED)).tasks) == 3
    assert {hit.task.number for hit in ask(SearchTasks(words=DECOMPOSED)).hits} == {first.number, second.number}
    ask(EditTasks(numbers=(first.number,), remove_tags=(DECOMPOSED,)))
    assert [(used.name, used.tasks) for used in ask(ListTags()).used] == [(COMPOSED, 2)]


def test_views_tokens_and_comments_in_both_forms_are_composed(ask: Ask) -> None:
    ask(SaveView(name=DECOMPOSED, filter=f"@{DECOMPOSED}"))
    ask(SaveView(name=COMPOSED, filter=f"@{DECOMPOSED} p1"))
    assert [(view.name, view.filter) for view in ask(ListViews()).views] == [(COMPOSED, f"@{COMPOSED} p1")]
    secret = token_hash(new_token(new_id()))
    ask(CreateToken(id=new_id(), hash=secret, name=DECOMPOSED, scopes=("read",)))
    assert ask(RevokeToken(name=COMPOSED)).name == COMPOSED
    number = ask(AddTask(title="x")).number
    ask(AddComment(number=number, id=new_id(), text=DECOMPOSED))
    assert [comment.text for comment in ask(ListComments(number=number)).comments] == [COMPOSED]


def test_command_line_in_both_forms_names_one_tag(todo: Todo) -> None:
    todo("add", "one", "--tag", COMPOSED)
    todo("add", "-", stdin=f"two @{DECOMPOSED}\n")
    assert todo("tags").lines == [f"{COMPOSED}\t2\t0\t0\t"]
    assert len(todo("list", f"@{DECOMPOSED}").lines) == 2
