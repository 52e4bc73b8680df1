"""Run or follow a chat turn from a terminal, through a server or directly."""
