"""Every change of a flow's or Core's state: one function each, told who and when, in one transaction with its audit.

The REST endpoints, the editor form, Django admin and the command line are doors to these functions.
"""

from publishing.actions.base import UNCHANGED, Unchanged
from publishing.actions.cores import Deployment, compiled, create_core, delete_core, deploy, rollback, update_core
from publishing.actions.flows import create_flow, delete_flow, save_flow
from publishing.actions.publications import publish, unpublish

__all__ = [
    "UNCHANGED",
    "Deployment",
    "Unchanged",
    "compiled",
    "create_core",
    "create_flow",
    "delete_core",
    "delete_flow",
    "deploy",
    "publish",
    "rollback",
    "save_flow",
    "unpublish",
    "update_core",
]
