"""Who may open a page: somebody who is signed in, and, where something changes, an admin of the tenant."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache

from identity.actors import Actor, actor_of
from identity.errors import NotAllowed, NotFound
from identity.models import User

Given = ParamSpec("Given")


class MemberRequest(HttpRequest):
    """A request of a signed-in user."""

    user: User


View = Callable[Concatenate[MemberRequest, Given], HttpResponseBase]


def member_page(view: View[Given]) -> Callable[Concatenate[HttpRequest, Given], HttpResponseBase]:
    """Let signed-in users in and send everyone else to the sign-in page; a change that they may not make is 403."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            # A script would follow the redirect, and read the sign-in page for an answer.
            is_for_people = request.accepts("text/html")
            return redirect_to_login(request.get_full_path()) if is_for_people else HttpResponse(status=401)
        try:
            return view(request, *args, **kwargs)  # type: ignore[arg-type]  # it has a user now
        except NotAllowed as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except NotFound as refusal:
            raise Http404(str(refusal)) from refusal

    return guarded


def admin_of(request: MemberRequest) -> Actor:
    """The user as an admin of their tenant; `NotAllowed` for everyone else."""
    actor = actor_of(request.user)
    actor.must_manage(request.user.tenant_id)
    return actor
