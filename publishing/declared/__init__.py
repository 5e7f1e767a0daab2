"""Tenants, groups, users, memberships, flows and publications as code: a YAML file says what there is to be.

What the file does not mention is left alone. The file is applied whole or not at all; a second time changes nothing.
"""

from publishing.declared.apply import apply, wait_for_others
from publishing.declared.base import DeclarationRefused
from publishing.declared.flow_files import FiledFlow, read_file, write_json, write_yaml

__all__ = ["DeclarationRefused", "FiledFlow", "apply", "read_file", "wait_for_others", "write_json", "write_yaml"]
