"""The local service: one `todo serve` beside the local Postgres, which commands start on demand and then talk to."""
