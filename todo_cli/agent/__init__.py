"""One chat turn: the loop between model and tools. It is handed `send(request)` and knows no database."""
