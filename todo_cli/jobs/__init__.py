"""The worker: it takes due jobs from the database and sends messages to users' channels."""
