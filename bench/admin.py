"""`make bench-admin`: what every page of the admin takes in an installation of some size.

2,000 users, 300 groups (half of them nested), 500 publications and 100,000 audit entries, seeded by SQL. Each page is
asked for as staff would, without a browser, and the median of some answers is printed, the slowest page first.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.utils import timezone

from bench import servers

if TYPE_CHECKING:
    from django.test import Client

CALLS: Final = 5
MOST_MS: Final = 300.0
USERS, GROUPS, PUBLICATIONS, ENTRIES = 2_000, 300, 500, 100_000
# Only numbers of this file come into the text.
SEED: Final = f"""
INSERT INTO identity_user (id, password, is_superuser, email, name, tenant_id, role, is_staff, is_active, created_at)
    SELECT 'user_' || n, '!', false, 'user-' || n || '@acme.test', 'User ' || n, 'acme', 'member', false, n % 20 > 0,
    now()
    FROM generate_series(1, {USERS}) n;
INSERT INTO identity_group (tenant_id, scaikey_id, name, created_at)
    SELECT 'acme', 'group_' || n, 'Group ' || n, now() FROM generate_series(1, {GROUPS}) n;
INSERT INTO identity_membership (tenant_id, user_id, group_id)
    SELECT DISTINCT 'acme', 'user_' || n, g.id FROM generate_series(1, {USERS}) n, generate_series(1, 3) m
    JOIN identity_group g ON true WHERE g.scaikey_id = 'group_' || (1 + (n * 7 + m * 101) % {GROUPS});
INSERT INTO identity_nesting (tenant_id, parent_id, child_id)
    SELECT 'acme', p.id, c.id FROM generate_series(2, {GROUPS}, 2) n
    JOIN identity_group p ON p.scaikey_id = 'group_' || (n / 2) JOIN identity_group c ON c.scaikey_id = 'group_' || n;
INSERT INTO publishing_flow (id, tenant_id, name, description, created_at, updated_at)
    SELECT 'flow_' || n, 'acme', 'Flow ' || n, '', now(), now() FROM generate_series(1, {PUBLICATIONS}) n;
INSERT INTO publishing_flowversion (flow_id, number, version, content, created_at, created_by)
    SELECT 'flow_' || n, 1, '1.0.0', v.content, now(), 'seed' FROM generate_series(1, {PUBLICATIONS}) n,
    (SELECT content FROM publishing_flowversion ORDER BY id LIMIT 1) v;
INSERT INTO publishing_core (id, tenant_id, flow_id, slug, name, description, driver, created_at, updated_at)
    SELECT 'core_' || n, 'acme', 'flow_' || n, 'model-' || n, 'Model ' || n, '', 'flow', now(), now()
    FROM generate_series(1, {PUBLICATIONS}) n;
INSERT INTO publishing_coreversion (core_id, number, program, manifest, flow_version, instance_mode, entity_scope,
    created_at, created_by)
    SELECT 'core_' || n, 1, v.program, v.manifest, '1.0.0', v.instance_mode, v.entity_scope, now(), 'seed'
    FROM generate_series(1, {PUBLICATIONS}) n, (SELECT * FROM publishing_coreversion ORDER BY id LIMIT 1) v;
UPDATE publishing_core c SET live_id = v.id FROM publishing_coreversion v WHERE v.core_id = c.id;
INSERT INTO publishing_publication (core_id, tenant_id, name, visibility, published_at, published_by)
    SELECT 'core_' || n, 'acme', 'scaicore/acme/model-' || n, CASE WHEN n % 10 = 0 THEN 'tenant' ELSE 'groups' END,
    now() - n * interval '1 hour', 'seed' FROM generate_series(1, {PUBLICATIONS}) n;
INSERT INTO publishing_grant (tenant_id, publication_id, group_id)
    SELECT 'acme', 'core_' || n, g.id FROM generate_series(1, {PUBLICATIONS}) n
    JOIN identity_group g ON g.scaikey_id = 'group_' || (1 + n % {GROUPS}) WHERE n % 10 > 0;
INSERT INTO chatapi_usagerecord (at, request_id, tenant_id, user_id, key_id, core_id, core_version, model, purpose,
    is_streamed, outcome, prompt_tokens, completion_tokens, duration_ms)
    SELECT now() - n * interval '2 minutes', 'req_' || n, 'acme', 'user_' || (1 + n % {USERS}), '',
    'core_' || (1 + n % {PUBLICATIONS}), 1, 'scaicore/acme/model-' || (1 + n % {PUBLICATIONS}), 'chat', false,
    CASE WHEN n % 9 = 0 THEN 'failed' ELSE 'ok' END, 10, 10, 10 FROM generate_series(1, {ENTRIES}) n;
INSERT INTO identity_auditentry (at, tenant, actor_id, actor, door, action, target, before, after)
    SELECT now() - n * interval '1 minute', 'acme', 'user_' || (1 + n % {USERS}),
    'user-' || (1 + n % {USERS}) || '@acme.test', 'page',
    CASE n % 4 WHEN 0 THEN 'core.published' WHEN 1 THEN 'publication.changed' WHEN 2 THEN 'key.created'
    ELSE 'group.members_set' END, 'core_' || (1 + n % {PUBLICATIONS}),
    jsonb_build_object('visibility', 'groups', 'group_ids', jsonb_build_array('group_' || (1 + n % {GROUPS}))),
    jsonb_build_object('visibility', CASE WHEN n % 50 = 0 THEN 'tenant' ELSE 'groups' END,
    'name', 'scaicore/acme/model-' || (1 + n % {PUBLICATIONS}),
    'group_ids', jsonb_build_array('group_' || (1 + n % {GROUPS})))
    FROM generate_series(1, {ENTRIES}) n;
ANALYZE;
INSERT INTO publishing_refusal (core_id, user_id, last_at)
    SELECT 'core_' || (1 + n % {PUBLICATIONS}), 'user_' || n, now() - n * interval '1 hour'
    FROM generate_series(1, {USERS}) n;
"""  # noqa: S608


def main() -> None:
    """Seed, ask for every page, print."""
    servers.install()
    # The models can be imported once the installation is there.
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    from identity.models import User  # noqa: PLC0415
    from publishing import demo  # noqa: PLC0415
    from tests.support import admin_pages  # noqa: PLC0415

    demo.prepare(at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(SEED)
    staff = User.objects.create_superuser("sue@ops.test", tenant="acme")
    client = Client()
    client.force_login(staff)
    setup_test_environment()
    urls = [*admin_pages.lists(), *admin_pages.pages(client, is_whole=False)]
    found = {url: _median_ms(client, url) for url in urls}
    for url, took_ms in sorted(found.items(), key=lambda one: -one[1]):
        print(f"{took_ms:>8.0f} ms  {url}")
    slow = [url for url, took_ms in found.items() if took_ms > MOST_MS]
    print(f"{len(found)} pages, {len(slow)} of them slower than {MOST_MS:.0f} ms")
    sys.exit(bool(slow))


def _median_ms(client: Client, url: str) -> float:
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        answer = client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
