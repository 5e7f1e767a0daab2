"""Model nodes that call tools of the flow: what may be a tool, what is wrong with one, and the loop."""
