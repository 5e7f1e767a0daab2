"""The MCP face: the models that a key may call, as tools of one server, at `/mcp`."""
