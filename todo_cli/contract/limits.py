"""The limits that users meet, each with its unit. Every entry point refuses what is beyond them with exit code 2."""

MAX_TITLE_CHARS = 1_000
MAX_NOTE_CHARS = 100_000
MAX_COMMENT_CHARS = 20_000
MAX_MESSAGE_CHARS = 100_000
"""A message to the model."""
MAX_PROMPT_HISTORY_CHARS = 2_000
"""Longer messages are left out of the prompt history."""

MAX_NAME_CHARS = 100
"""A project, a view, a token, a user, a model, the title of a conversation."""
MIN_PASSWORD_CHARS = 12
MAX_SECRET_CHARS = 128
"""A password, an invitation or a one-time code."""
MAX_TAG_CHARS = 100
MAX_TAGS_PER_TASK = 100
MAX_BLOCKERS_PER_TASK = 100
MAX_SUBTASK_DEPTH = 50
MAX_SHOWN_LINKS = 100
"""Subtasks, and blocked tasks, of one task that is shown."""

MAX_CHANGES_BACK = 100_000
"""Changes between a moment of the past that is asked for and now."""
MAX_SEARCHED_CHANGES = 10_000
"""Changes of the journal that one request looks through; the next page continues after them."""
MAX_BLAMED_CHANGES = 1_000
"""Changes of one task that are looked through for those that set its fields."""

MAX_ATTACHMENTS_PER_TASK = 50
MAX_ATTACHMENT_BYTES = 100 * 1024 * 1024
MAX_ATTACHMENT_NAME_CHARS = 255
MAX_MEDIA_TYPE_CHARS = 100
MAX_SPACE_ATTACHMENT_BYTES = 10 * 1024 * 1024 * 1024
"""All attachments of a space, with those that were removed lately."""
MAX_UNFINISHED_UPLOADS = 20
"""Uploads of a user that are neither finished nor expired."""
ATTACHMENT_CHUNK_BYTES = 1024 * 1024
"""A part of a file in the database, and of a request that uploads it."""
UPLOAD_HOURS = 24
"""An upload that is not finished after so long is removed."""
REFUSED_FILE_SUFFIXES = (
    ".app", ".bat", ".cmd", ".com", ".cpl", ".desktop", ".exe", ".hta", ".jar", ".js", ".jse", ".lnk", ".msi", ".msp",
    ".pif", ".ps1", ".reg", ".scr", ".url", ".vb", ".vbe", ".vbs", ".wsf", ".wsh",
)  # fmt: skip  # a list of words
"""Endings of files that an operating system runs when a person opens them."""

MAX_FILTER_CHARS = 10_000
MAX_SORT_CHARS = 100
MAX_SEARCH_CHARS = 10_000
MAX_DATE_CHARS = 200
MAX_RECURRENCE_CHARS = 500
MAX_REMINDERS_PER_TASK = 10
MAX_CHANNELS = 20
"""Channels of one user."""
MAX_CHANNEL_TARGET_CHARS = 2_000
"""An address of a channel."""

MAX_TASKS_PER_CHANGE = 10_000
MAX_CHANGE_BYTES = 64 * 1024 * 1024
"""The tasks that one change reads or stores."""
MAX_CHANGED_TEXT_BYTES = 4 * 1024 * 1024
"""The old and new texts that one change replaces, of all its tasks together. An undo has no such limit."""
MAX_FULL_TASKS = 20
"""A change of more tasks answers with brief tasks: as in lists without notes. Long texts of its differences are cut."""
LONG_TEXT_CHARS = 500
"""A longer text is cut in brief answers, and the journal keeps it apart from the task."""
MAX_ADDED_TASKS = 1_000
"""Tasks of one `AddTasks`; `todo add -` sends more in parts."""
MAX_EDITED_TASKS = 500
"""Tasks of one `EditEachTask`, each with fields of its own."""
MAX_FORM_TASKS = 100
"""Tasks of one `todo edit` in an editor."""
MAX_STDIN_LINES = 100_000
"""Lines of one `todo add -`."""
MAX_IMPORTED_TASKS = 500
"""Tasks of one `ImportTasks`; `todo import` sends more in parts."""
MAX_IMPORTED_COMMENTS = 1_000
"""Comments of one task that is imported."""
MAX_SOURCE_ID_CHARS = 500
"""The id of a task in a file that is imported."""
MAX_SOURCE_LINKS = 1_000
"""Blockers of a task in a file that is imported; at most 100 of them take effect."""
MAX_KEPT_CHARS = 500_000
"""The values of an imported task that no field takes, as JSON."""
MAX_EXPORTED_TASKS = 500
"""Tasks of one page of an export."""
MAX_EXPORTED_BYTES = 8 * 1024 * 1024
"""The notes and kept values of one page of an export, unless one task alone is larger."""
MAX_IMPORT_MESSAGES = 500
"""Messages of one `ImportMessages`; `todo chat import` sends more in parts."""
MAX_CALLS_PER_MESSAGE = 200
"""Tool calls."""

MAX_BATCH_READS = 20
"""Reads of one `Batch`."""
MAX_PAGE_ITEMS = 1_000
MAX_COUNTED_TASKS = 1_000
"""Tasks that a list counts beyond its page."""
MAX_SEARCH_HITS = 100
MAX_MESSAGE_HITS = 200
MAX_CURSOR_CHARS = 4_000

MAX_INTEGER = 2**63 - 1
"""The largest number that a task, a conversation, a message or a change can have."""
MAX_KEY_CHARS = 200
"""An idempotency key."""
MAX_BODY_BYTES = 2 * 1024 * 1024
"""The body of an HTTP request."""
MAX_PUBLIC_BODY_BYTES = 4 * 1024
"""The body of a request that needs no token: to sign in, for example."""

DEFAULT_LEASE_SECONDS = 900
MAX_LEASE_SECONDS = 7 * 86_400
"""The lease of a claim."""
MAX_FENCES = 100
"""The claims that one request names."""
MAX_REASON_CHARS = 1_000
"""The reason of a take-over."""
MAX_TURN_LEASE_SECONDS = 300
MAX_PER_MINUTE = 10_000
"""Requests, or turns of the chat, that an administrator may allow a user in 60 seconds."""
MAX_TOKENS_PER_DAY = 10**15
"""A budget of model tokens."""

MAX_STATS_DAYS = 371
"""Of a burndown: 53 weeks."""
MAX_REQUESTS_PER_MINUTE = 10_000
"""The rate of one token."""
MAX_UNDONE_CHANGES = 500
"""Changes of one token that are undone together."""
