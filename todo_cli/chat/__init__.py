"""Conversations with a model. `model` alone knows the wire; nothing here knows a database or what a task is."""
