"""Batches: several reads in one request."""
