"""The tests that a flow's document holds: run by hand or before a deploy, by the runs that try a draft."""
