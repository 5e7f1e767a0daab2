"""From a connection to the applications: what is bounded and refused before a key is looked at, and who serves what."""
