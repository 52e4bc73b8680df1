"""Tasks as a text that a person edits: printing it, reading it, and storing what was changed."""
