"""A version to come of the product, which has changed the tables that every call reads and writes."""
