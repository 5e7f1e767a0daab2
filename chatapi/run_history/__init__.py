"""The runs that were counted: how each ended and why, and what its nodes did where that is kept."""
