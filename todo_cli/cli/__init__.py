"""A file per command: parse, send, render."""
