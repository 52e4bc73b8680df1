"""The terminal: parse arguments, send a Request, render the answer."""
