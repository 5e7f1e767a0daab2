"""Completions that callers have stored by `store: true`: listed, read, labelled and deleted by their user alone."""
