"""Tenants, groups, users, memberships, flows and publications as code: a YAML file says what there is to be.

What the file does not mention is left alone. The file is applied whole or not at all; a second time changes nothing.
"""

from publishing.declared.apply import apply, wait_for_others
from publishing.declared.base import DeclarationRefused

__all__ = ["DeclarationRefused", "apply", "wait_for_others"]
