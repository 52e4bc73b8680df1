"""Requests as tools: their names, their schemas, and the calls of models and MCP clients."""
