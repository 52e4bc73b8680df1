"""The steps of a chat turn, each one transaction."""
