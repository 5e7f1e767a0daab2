"""Signing in with a password: how often it may be tried, and the forms and views that pages and admin share."""
