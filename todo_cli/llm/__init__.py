"""The client for servers that speak the OpenAI chat-completions protocol. It knows neither tasks nor a database."""
