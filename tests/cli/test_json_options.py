"""--json=FIELDS, --jq and --template select from the JSON of any command, and are checked before it does anything."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Todo

FORMS = (["--json=title,due,number"], ["--json", "title,due,number"])
SELECTED = [
    {"title": "Milk", "due": None, "number": 1},
    {"title": "Rent", "due": "2030-01-02", "number": 2},
]


@pytest.fixture
def listed(todo: Todo) -> Todo:
    """A list of two tasks."""
    todo("add", "Milk")
    todo("add", "Rent", "--due", "2030-01-02", "--project", "home")
    return todo


@pytest.mark.parametrize("words", FORMS, ids=" ".join)
def test_json_fields_of_a_list_print_these_fields_of_each_task_in_this_order(listed: Todo, words: list[str]) -> None:
    printed = json.loads(listed("list", "--sort", "created", *words).out)
    assert printed == SELECTED
    assert list(printed[0]) == ["title", "due", "number"]


def test_json_fields_of_one_object_and_of_a_hit_are_printed(listed: Todo) -> None:
    assert json.loads(listed("show", "2", "--json=number,project").out) == {"number": 2, "project": "home"}
    assert json.loads(listed("search", "rent", "--json=title,score").out)[0]["title"] == "Rent"
    assert json.loads(listed("add", "--json=number", "Bread").out) == {"number": 3}
    assert listed("done", "1", "--jsonl", "--json-fields=number,status").out == '{"number":1,"status":"done"}\n'


def test_json_before_words_leaves_the_words_alone(listed: Todo) -> None:
    assert [task["number"] for task in listed("list", "--json", "#home").json["tasks"]] == [2]
    assert listed("add", "--json", "Buy a, b and c").json["title"] == "Buy a, b and c"
    assert listed("add", "--json", "--", "--json=title").json["title"] == "--json=title"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--json=titel", "Bread"], "'titel' is not a field (did you mean title?)"),
        (["--json=", "Bread"], "'' is not a field"),
        (["--json", "title", "of the book"], "--json title has two meanings"),
        (["--jq", ".tasks[", "Bread"], "--jq: "),
        (["--template", "{% for %}", "Bread"], "--template: "),
        (["--jq", ".", "--template", "x", "Bread"], "--jq and --template cannot be used together"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_json_options_that_are_wrong_are_refused_before_the_change(
    listed: Todo, words: list[str], message: str
) -> None:
    refused = listed("add", *words)
    assert (refused.code, refused.out) == (2, "")
    assert message in refused.err
    assert len(listed("list", "--json").json["tasks"]) == 2


def test_jq_prints_texts_as_they_are_and_other_values_as_json(listed: Todo) -> None:
    assert listed("list", "--sort", "created", "--jq", ".tasks[].title").out == "Milk\nRent\n"
    assert listed("list", "--jq", "[.tasks[].number] | sort").out == "[1, 2]\n"
    assert listed("list", "--sort", "created", "--jsonl", "--jq", ".due").out == "null\n2030-01-02\n"
    assert listed("list", "--json=number", "--jq", "length").out == "2\n"


def test_jq_that_fails_on_the_data_says_that_the_command_was_carried_out(listed: Todo) -> None:
    failed = listed("done", "1", "--jq", ".tasks[0].title.x")
    assert failed.code == 1
    assert "the command itself was carried out" in failed.err


def test_template_is_filled_with_the_fields(listed: Todo) -> None:
    template = "{% for task in tasks %}{{ task.number }} {{ task.title }}{{ '\\n' }}{% endfor %}"
    assert listed("list", "--sort", "created", "--template", template).out == "1 Milk\n2 Rent\n"
    assert listed("show", "2", "--template", "{{ title }}: {{ note }}{{ due }}").out == "Rent: 2030-01-02\n"
    titles = "{{ items | map(attribute='title') | join(', ') }}"
    assert listed("list", "--sort", "created", "--json=title", "--template", titles).out == "Milk, Rent\n"


def test_template_runs_no_code_and_reaches_no_internals(listed: Todo) -> None:
    failed = listed("list", "--template", "{{ tasks.__class__.__mro__ }}{{ ''.__class__.__base__.__subclasses__() }}")
    assert failed.code == 1 or "class" not in failed.out


@pytest.mark.parametrize("options", [["--jq", ".title"], ["--template", "{{ title }}"]], ids=lambda words: words[0])
def test_control_characters_are_escaped_in_selected_text(todo: Todo, options: list[str]) -> None:
    todo("add", "--raw", "bell \x07 and \x1b[31mred")
    assert todo("show", "1", *options).out == "bell \\x07 and \\x1b[31mred\n"
