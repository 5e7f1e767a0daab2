"""The audit log: what is written into it, and what an entry says."""

from identity.audit.entries import Values, record

__all__ = ["Values", "record"]
