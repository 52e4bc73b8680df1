"""How answers look: text for people and pipes, JSON for programs."""
