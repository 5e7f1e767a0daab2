"""The audit log, as staff read it: found by what an entry is about and whom it concerns, shown as a difference."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import BooleanField, Func, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from identity import admin_sections
from identity.admin_base import StaffAdmin
from identity.admin_filters import ActorFilter
from identity.audit.differences import differences, last_name, noun, word
from identity.models import AuditEntry, User

# The values that name somebody or something, alone or in a list: a search finds them where the row itself is gone.
FIELDS = ("email", "user", "name", "slug", "group", "members[*]", "group_ids[*]")
PEOPLE = ("email", "user", "members[*]")
# A word that fits more rows than this finds the entries about the first of them.
MOST_FOUND, MOST_PEOPLE = 200, 3
# A word such as `user` fits every entry. Each way to look gives its newest, so that nobody waits for all to be sorted.
NEWEST = 1000


@admin.register(AuditEntry)
class AuditEntryAdmin(StaffAdmin):
    """Who changed what, when. Nobody changes an entry."""

    list_display = ("at", "who", "door", "action", "tenant", "about", "change")
    list_display_links = ("at",)
    list_filter: ClassVar[tuple[Any, ...]] = (ActorFilter, "door", "action", "tenant")
    search_fields = ("target",)
    search_help_text = (
        "A model, flow, group or person: by name, e-mail address or id. Also the start of an action. "
        f"Of a word that fits very many entries the newest {NEWEST:,} are found: narrow them by the filters."
    )
    date_hierarchy = "at"
    fields = ("at", "who", "door", "address", "request_id", "action", "tenant", "about", "difference")

    def tenant_of(self, row: AuditEntry) -> str:
        return row.tenant

    def audit_target(self, row: AuditEntry) -> str:
        return row.target

    # How entries are found.

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Entries about what the phrase finds in the other lists, by whom it finds there, and those that name it."""
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        people = self.admin_site.get_model_admin(User)
        users = people.get_search_results(request, people.get_queryset(request), term)[0].order_by()
        emails = users.values_list("email", flat=True)[:MOST_PEOPLE]
        conditions = [*_naming(term, list(emails)), _beginning(term), _by(users), *self._about(request, term)]
        ways = [_newest(queryset, one) for one in conditions]
        # Looked for once: the list asks for the rows, their number, and twice for their days.
        found = set(ways[0].union(*ways[1:], all=True).values_list("pk", flat=True))
        return queryset.filter(pk__in=found), False

    def _about(self, request: HttpRequest, term: str) -> list[Q]:
        """Entries about the rows that the phrase finds in their own list."""
        pages = [
            (page, page.get_search_results(request, page.get_queryset(request), term)[0]) for page in self._pages()
        ]
        return [Q(target__in=rows.order_by().values(page.audit_field)[:MOST_FOUND]) for page, rows in pages]

    # What is shown of one.

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find what the entries are about, and their actors, as far as they still exist."""
        targets: dict[str, set[str]] = defaultdict(set)
        for entry in rows:
            targets[noun(entry)].add(entry.target)
        pages = {kind: page for page in self._pages() for kind in page.audit_nouns}
        found = {kind: pages[kind].audited(request, names) for kind, names in targets.items() if kind in pages}
        actors = User.objects.in_bulk({entry.actor_id for entry in rows} - {""})
        for entry in rows:
            entry.row = found.get(noun(entry), {}).get((entry.tenant, entry.target))
            entry.user = actors.get(entry.actor_id)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEntry | None:
        entry: AuditEntry | None = super().get_object(request, object_id, from_field)
        self.complete(request, [entry] if entry else [])
        return entry

    @admin.display(description="actor", ordering="actor")
    def who(self, entry: Any) -> SafeString | str:
        return admin_sections.link(entry.user, entry.actor) if entry.user else str(entry.actor)

    @admin.display(description="about")
    def about(self, entry: Any) -> SafeString | str:
        return admin_sections.link(entry.row) if entry.row else last_name(entry)

    @admin.display
    def change(self, entry: AuditEntry) -> SafeString:
        """The values; of a change, those that differ."""
        return format_html_join("; ", "{}: {}", differences(entry.before, entry.after))

    @admin.display
    def difference(self, entry: AuditEntry) -> SafeString:
        """Every value before and after, those that differ marked."""
        before, after = entry.before or {}, entry.after or {}
        rows = [
            (_class(entry, name), name, word(before.get(name)), word(after.get(name))) for name in {**before, **after}
        ]
        return format_html(
            '<table class="difference"><thead><tr><th scope="col">Value</th><th scope="col">Before</th>'
            '<th scope="col">After</th></tr></thead><tbody>{}</tbody></table>',
            format_html_join("", '<tr class="{}"><th scope="row">{}</th><td>{}</td><td>{}</td></tr>', rows),
        )

    def _pages(self) -> list[StaffAdmin]:
        """The admin's pages of what entries are about."""
        pages = [page for page in self.admin_site._registry.values() if isinstance(page, StaffAdmin)]
        return [page for page in pages if page.audit_nouns]


# Each of these conditions has its index, so that a search reads the entries that it finds and no others.


class _HasPath(Func):
    """Whether a JSON column has anything at a JSON path."""

    arg_joiner = " @? "
    template = "(%(expressions)s::jsonpath)"
    output_field = BooleanField()


def _naming(term: str, emails: list[str]) -> list[Q]:
    """Entries whose target or values are this name or one of these people, also of what exists no more."""
    wanted = [(field, term) for field in FIELDS] + [(field, email) for field in PEOPLE for email in emails]
    # One condition for each column: of dozens the planner believes that reading every entry is cheaper.
    path = Value(f"$ ? ({' || '.join(f'@.{field} == {json.dumps(name)}' for field, name in wanted)})")
    return [Q(target__in=[term, *emails]), Q(_HasPath("before", path)), Q(_HasPath("after", path))]


def _beginning(term: str) -> Q:
    return Q(actor__startswith=term) | Q(action__startswith=term)


def _by(users: QuerySet[User]) -> Q:
    return Q(actor_id__in=users.values("pk")[:MOST_FOUND])


def _newest(entries: QuerySet[AuditEntry], condition: Q) -> QuerySet[AuditEntry, Any]:
    return entries.filter(condition).order_by("-at", "-id").values("pk")[:NEWEST]


def _class(entry: AuditEntry, name: str) -> str:
    if entry.before is None or entry.after is None:
        return ""
    return "differs" if entry.before.get(name) != entry.after.get(name) else ""
