"""The audit log of a tenant as its admins read it: searched, exported."""
