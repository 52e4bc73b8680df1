"""Conversations: list, search, import, prompt history."""
