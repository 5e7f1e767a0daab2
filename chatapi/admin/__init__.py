"""What was called, as staff see it: by run, by publication, and by what calls it from outside."""

from chatapi.admin import publications, triggers, usage

__all__ = ["publications", "triggers", "usage"]
