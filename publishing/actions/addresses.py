"""URLs of servers to call, given by admins: a model provider's, a remote Core's."""

from __future__ import annotations

from identity.errors import Invalid, Problem
from publishing import outbound


def clean_url(text: str, *, field: str, title: str) -> str:
    """The URL to store, in which a path alone may follow the host; `Invalid` names `field` and says what is wrong."""
    try:
        url = outbound.read(text.strip())
    except outbound.UrlRefused as error:
        raise Invalid(title, [Problem(field, str(error))]) from None
    if url.query or url.fragment:
        raise Invalid(title, [Problem(field, "Leave out what follows the path: ? and #.")])
    if outbound.is_hopeless(url, outbound.listed()):
        what = "server is not public" if outbound.is_web_port(outbound.port(url)) else "port is not a web server's"
        said = f"This {what}; ask the operator to list it in OUTBOUND_ALLOWED_HOSTS."
        raise Invalid(title, [Problem(field, said)])
    return str(url)


def destination(url: str) -> tuple[str, outbound.Allowed]:
    """The server that a call of `url` reaches: a secret given for one server must not go to another."""
    read = outbound.read(url)
    return read.scheme, outbound.named(read)
