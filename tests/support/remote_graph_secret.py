"""What both sides of the remote Core in the tests sign with; apart, so that the tests need not import the graph."""

SECRET = "a-secret-of-both-sides"
