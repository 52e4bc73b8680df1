"""Channels of users, their scheduled jobs, and the deliveries to them."""
