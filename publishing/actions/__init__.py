"""Every change of a flow's or Core's state: one function each, given who and when, in one transaction with its audit.

The REST endpoints, the pages, Django admin and the command line all call these functions.
"""

from publishing.actions.base import NAME_RULE, UNCHANGED, Unchanged
from publishing.actions.cores import (
    Deployment,
    compile_document,
    compile_program,
    create_core,
    delete_core,
    deploy,
    rollback,
    update_core,
)
from publishing.actions.entities import erase_entity
from publishing.actions.flows import create_flow, delete_flow, duplicate_flow, label_version, save_flow
from publishing.actions.holds import hold_core, lift_hold
from publishing.actions.limits import LimitTerms, create_limit, delete_limit, save_limit, set_price
from publishing.actions.mcp_servers import (
    RefreshedTools,
    accept_mcp_tools,
    create_mcp_server,
    delete_mcp_server,
    refresh_mcp_server,
    save_mcp_server,
)
from publishing.actions.providers import create_provider, delete_provider, save_provider, test_provider
from publishing.actions.publications import check_groups, publish, unpublish
from publishing.actions.remotes import RemoteProgram
from publishing.actions.requests import ask_access, decline_access, grant_access
from publishing.actions.sealing import reseal
from publishing.actions.secrets import create_secret, delete_secret, save_secret
from publishing.actions.undoing import undo

__all__ = [
    "NAME_RULE",
    "UNCHANGED",
    "Deployment",
    "LimitTerms",
    "RefreshedTools",
    "RemoteProgram",
    "Unchanged",
    "accept_mcp_tools",
    "ask_access",
    "check_groups",
    "compile_document",
    "compile_program",
    "create_core",
    "create_flow",
    "create_limit",
    "create_mcp_server",
    "create_provider",
    "create_secret",
    "decline_access",
    "delete_core",
    "delete_flow",
    "delete_limit",
    "delete_mcp_server",
    "delete_provider",
    "delete_secret",
    "deploy",
    "duplicate_flow",
    "erase_entity",
    "grant_access",
    "hold_core",
    "label_version",
    "lift_hold",
    "publish",
    "refresh_mcp_server",
    "reseal",
    "rollback",
    "save_flow",
    "save_limit",
    "save_mcp_server",
    "save_provider",
    "save_secret",
    "set_price",
    "test_provider",
    "undo",
    "unpublish",
    "update_core",
]
