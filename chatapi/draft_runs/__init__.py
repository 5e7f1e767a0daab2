"""Drafts of flows, run before they are deployed: by the chat's own runs, without memory, watched node by node."""
