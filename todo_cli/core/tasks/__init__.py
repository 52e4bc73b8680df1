"""Tasks: their rules, and the statements that load and store them."""
