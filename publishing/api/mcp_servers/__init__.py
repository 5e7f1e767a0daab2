"""`/api/v1/mcp-servers`: the MCP servers whose tools the tenant's flows may call."""
