"""People, the members of groups, and the audit log, by REST: for the admins of the tenant."""
