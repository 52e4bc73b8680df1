"""The HTTP door: one route per Request, and the few hand-written ones."""
