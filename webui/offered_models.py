"""What a tenant publishes, as one of its users sees it: may I call it, and have I asked for access?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from identity.models import AuditEntry, User
from publishing import registry
from publishing.models import Access, AccessRequest, Decision, Grant, Publication
from scaicore.capabilities import CAPABILITIES

LATELY: Final = timedelta(days=30)
MOST_GRANTED: Final = 10


@dataclass(frozen=True)
class ModelForUser:
    """A publication and what it means to one user. `asked` is the user's open request."""

    publication: Publication
    may_call: bool
    asked: AccessRequest | None

    @property
    def groups(self) -> list[str]:
        """The ids of the groups that it is open to, sorted."""
        return sorted(grant.group.scaikey_id for grant in self.publication.grants.all())

    @property
    def may_ask(self) -> bool:
        """Whether asking can help: an admin can add the user to a group only where there is one."""
        return not self.may_call and not self.publication.has_nobody


def published(tenant_id: str, search: str = "", tag: str = "") -> QuerySet[Publication]:
    """The tenant's publications by name, with what `models_for` reads; only those that `search` and `tag` find."""
    grants = Prefetch("grants", Grant.objects.select_related("group"))
    found = Publication.objects.filter(tenant=tenant_id).select_related("core__live", "core__flow", "tenant")
    if search:
        in_words = Q(core__name__icontains=search) | Q(core__description__icontains=search)
        found = found.filter(Q(name__icontains=search) | in_words)
    if tag:
        found = found.filter(core__flow__tags__contains=[tag])
    return found.prefetch_related(grants).order_by("name")


def callable_by(user: User, publications: QuerySet[Publication]) -> QuerySet[Publication]:
    """Those that the user may call."""
    return publications.filter(pk__in=registry.callable_by(user).values("pk"))


def tags_of(publications: QuerySet[Publication]) -> list[str]:
    """The tags of the flows behind them, each once, by name."""
    found = publications.exclude(core__flow__tags=[]).values_list("core__flow__tags", flat=True)
    return sorted({tag for tags in found for tag in tags or ()}, key=str.casefold)


def models_for(user: User, publications: Iterable[Publication]) -> list[ModelForUser]:
    """Each publication as `user` sees it; the access decision says whether it may be called."""
    wanted = list(publications)
    cores = [publication.pk for publication in wanted]
    open_to = set(registry.callable_by(user).filter(pk__in=cores).values_list("pk", flat=True))
    asked = AccessRequest.objects.filter(user=user, core__in=cores, decision=Decision.OPEN)
    mine = {request.core_id: request for request in asked}
    return [ModelForUser(one, one.pk in open_to, mine.get(one.pk)) for one in wanted]


def capabilities(publication: Publication) -> list[tuple[str, str, bool]]:
    """Each capability: its name, what it means, and whether the live version has it."""
    live = publication.core.live
    able = live.capabilities if live else []
    return [(name, meaning, name in able) for name, meaning in CAPABILITIES.items()]


def count_waiting(tenant_id: str) -> int:
    """How many of the tenant's open requests wait for an admin, as `waiting` would list them."""
    allowed = Access.objects.filter(user=OuterRef("user"), publication=OuterRef("core"), may_call=True)
    asked = AccessRequest.objects.filter(tenant=tenant_id, decision=Decision.OPEN, user__is_active=True)
    return asked.filter(~Exists(allowed), core__publication__isnull=False).count()


def granted_lately(core_id: str, *, at: datetime) -> list[AuditEntry]:
    """The grants of access to this Core of the last days, the newest first; each may be taken back."""
    entries = AuditEntry.objects.filter(target=core_id, action="access.granted", at__gt=at - LATELY)
    return list(entries.order_by("-at", "-id")[:MOST_GRANTED])


def waiting(cores: Iterable[str]) -> list[AccessRequest]:
    """Open requests for these Cores, the oldest first, of users who still may not call."""
    asked = AccessRequest.objects.filter(core__in=list(cores), decision=Decision.OPEN, user__is_active=True)
    found = list(asked.select_related("user", "core__publication"))
    allowed = Access.objects.filter(publication__in=[one.core_id for one in found], may_call=True)
    answered = set(allowed.filter(user__in=[one.user_id for one in found]).values_list("user_id", "publication_id"))
    return [one for one in found if (one.user_id, one.core_id) not in answered]
