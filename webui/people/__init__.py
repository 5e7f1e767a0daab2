"""The pages of people and groups, for the tenant's admins."""
