"""The HTTP server: one route per Request, streams of turns, and MCP."""
