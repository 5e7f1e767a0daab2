"""Tenants, groups, users, memberships, flows and publications as code: a YAML file is what there shall be.

What the file does not mention is left alone. The file is applied whole or not at all, and twice is as good as once.
"""

from publishing.declared.apply import apply, wait_for_others
from publishing.declared.base import DeclarationRefused

__all__ = ["DeclarationRefused", "apply", "wait_for_others"]
