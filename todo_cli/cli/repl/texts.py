"""Texts of the prompt that several of its modules print."""

from __future__ import annotations

PROMPT = "todo> "
LEAVE_HINT = "(press Ctrl-C again to leave, or Ctrl-D)"
LEAVE_WORDS = ("exit", "quit", "q", ":q")
"""Lines that leave the prompt, as they do in other programs; none of them is a message."""
NO_MESSAGES = "this conversation has no messages yet"
WELCOME = """\
Say what you want: "What is due today?" or "Remind me to call Anna on Friday".
/help lists the commands, Tab completes, Ctrl-C stops an answer, Ctrl-D leaves."""
