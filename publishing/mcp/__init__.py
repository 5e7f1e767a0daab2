"""MCP servers as a tenant's flows call them: which tools were accepted, and the messages that call them.

target = servers.ready(row)
listed = listing.fetch(target)                     # blocks; for pages and REST
answer = await TenantPluginClient("acme").call(…)  # for flows
"""
