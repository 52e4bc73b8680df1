"""Print answers: text for people and pipes, JSON for programs."""
