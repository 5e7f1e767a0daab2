"""The pages of runs: what was called, how it ended and why, and what the nodes of one run did."""
