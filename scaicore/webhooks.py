"""Webhooks: which node of a program is called by URL, and whether a request has the right signature."""

import hashlib
import hmac
from typing import NamedTuple

import msgspec

from scaicore.nodes import entered_by
from scaicore.nodes.entry import EntryWebhook
from scaicore.program import Program


class Webhook(NamedTuple):
    """The id of the node where a run begins, the header with the signature, and the name of the secret."""

    entry: str
    header: str
    secret_ref: str


def find_webhook(program: Program) -> Webhook | None:
    """The program's webhook; None when it has none, or one without a signature, which nobody reaches."""
    for node in program.nodes:
        if entered_by(node.kind) == "webhook":
            auth = msgspec.convert(node.config, EntryWebhook).auth
            return Webhook(node.id, auth.header, auth.secret_ref) if auth is not None else None
    return None


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether `signature` is the HMAC-SHA256 of `body` in hexadecimal digits, perhaps behind `sha256=`."""
    right = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # In constant time, and as bytes: `compare_digest` refuses texts that are not ASCII, and a caller may send any.
    given = signature.strip().lower().removeprefix("sha256=")
    return hmac.compare_digest(right.encode(), given.encode())
