"""Chat turns: begin, run steps, hold calls for approval, replay, undo. Each step is one transaction."""
