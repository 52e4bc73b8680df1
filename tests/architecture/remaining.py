"""What does not meet the rules yet. These lists only shrink: remove a line when it is mended, never add one."""

from __future__ import annotations

BARE_PARTICIPLES: set[str] = set()
"""Functions called by a bare participle or pronoun."""

REPEATED_TYPE_NAMES: set[str] = set()
"""Names of more than one class or type alias."""

PRONOUN_PARAMETERS: set[str] = set()
"""Parameters called by a pronoun."""

CYCLIC_MODULES: set[str] = set()
"""Modules that are part of an import cycle."""

WIDE_SQL = {
    "todo_cli/core/history/load_changes.py",
    "todo_cli/core/history/plans.py",
    "todo_cli/core/turns/undo.py",
    "todo_cli/db/login_check.py",
}
"""Files with SQL over 100 columns."""

SKIPPED_FORMATTING = {
    "benchmarks/chat.py",
    "benchmarks/load.py",
    "benchmarks/measure.py",
    "benchmarks/peers.py",
    "benchmarks/prompt.py",
    "benchmarks/server.py",
    "benchmarks/startup.py",
    "benchmarks/talks.py",
    "benchmarks/turn_cost.py",
    "benchmarks/turns.py",
    "tests/agent/test_approvals.py",
    "tests/agent/test_conversation_properties.py",
    "tests/agent/test_conversations.py",
    "tests/agent/test_forks.py",
    "tests/agent/test_injection.py",
    "tests/agent/test_kill_requests.py",
    "tests/agent/test_loop_with_client.py",
    "tests/agent/test_message_search.py",
    "tests/agent/test_replay.py",
    "tests/agent/test_titles.py",
    "tests/agent/test_tool_selection.py",
    "tests/agent/test_tools.py",
    "tests/agent/test_turn.py",
    "tests/agent/test_turn_cost.py",
    "tests/agent/test_usage.py",
    "tests/chat/test_ask.py",
    "tests/chat/test_bad_input.py",
    "tests/chat/test_export.py",
    "tests/chat/test_model_settings.py",
    "tests/chat/test_move_to_monday.py",
    "tests/chat/test_resume_elsewhere.py",
    "tests/chat/test_two_machines.py",
    "tests/cli/test_account.py",
    "tests/cli/test_add_lines.py",
    "tests/cli/test_bad_input.py",
    "tests/cli/test_bulk.py",
    "tests/cli/test_exit_codes.py",
    "tests/cli/test_help.py",
    "tests/cli/test_http_and_direct.py",
    "tests/cli/test_output.py",
    "tests/cli/test_search.py",
    "tests/conftest.py",
    "tests/db/test_errors.py",
    "tests/db/test_plans.py",
    "tests/db/test_refusals.py",
    "tests/db/test_search.py",
    "tests/db/test_security.py",
    "tests/llm/test_broken_streams.py",
    "tests/llm/test_client.py",
    "tests/llm/test_endpoints.py",
    "tests/llm/test_errors.py",
    "tests/llm/test_fake_model.py",
    "tests/llm/test_junk.py",
    "tests/llm/test_real_model.py",
    "tests/llm/test_selection.py",
    "tests/llm/test_stream.py",
    "tests/llm/test_tool_calls.py",
    "tests/operations/test_journal.py",
    "tests/operations/test_tokens.py",
    "tests/operations/test_undo.py",
    "tests/operations/test_views.py",
    "tests/parsing/test_dates.py",
    "tests/parsing/test_filter.py",
    "tests/parsing/test_recurrence.py",
    "tests/repl/test_markdown.py",
    "tests/repl/test_repl.py",
    "tests/server/test_database_outages.py",
    "tests/server/test_faulty_servers.py",
    "tests/server/test_openapi.py",
    "tests/server/test_serve.py",
    "tests/server/test_storm.py",
    "tests/server/test_turn_streams.py",
    "tests/support/certificates.py",
    "tests/support/chat.py",
    "tests/support/chat_process.py",
    "tests/support/connections.py",
    "tests/support/dialects.py",
    "tests/support/doc_pages.py",
    "tests/support/fake_model.py",
    "tests/support/model_client.py",
    "tests/support/terminal.py",
    "tests/support/thread_clients.py",
    "tests/support/turn_driver.py",
    "todo_cli/agent/loop.py",
    "todo_cli/core/filters/urgency.py",
    "todo_cli/db/errors.py",
    "todo_cli/db/migrate.py",
}
"""Files that skip the formatter without a reason beside it."""
