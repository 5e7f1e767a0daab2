"""An installation of some size, written straight into the database: people, groups, publications, what was done.

Half of the groups are nested into another one. Nine of ten publications are restricted to a group.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

# Only numbers, and the slug of a tenant, come into the text.
STATEMENTS: Final = """
INSERT INTO identity_user (id, password, is_superuser, email, name, tenant_id, role, is_staff, is_active, created_at)
    SELECT 'user_{t}_' || n, '!', false, 'user-' || n || '@{t}.test', 'User ' || n, '{t}', 'member', false, n % 20 > 0,
    now()
    FROM generate_series(1, {users}) n;
INSERT INTO identity_group (tenant_id, scaikey_id, name, created_at)
    SELECT '{t}', 'group_{t}_' || n, 'Group ' || n, now() FROM generate_series(1, {groups}) n;
INSERT INTO identity_membership (tenant_id, user_id, group_id)
    SELECT DISTINCT '{t}', 'user_{t}_' || n, g.id FROM generate_series(1, {users}) n, generate_series(1, 3) m
    JOIN identity_group g ON true WHERE g.scaikey_id = 'group_{t}_' || (1 + (n * 7 + m * 101) % {groups});
INSERT INTO identity_nesting (tenant_id, parent_id, child_id)
    SELECT '{t}', p.id, c.id FROM generate_series(2, {groups}, 2) n
    JOIN identity_group p ON p.scaikey_id = 'group_{t}_' || (n / 2)
    JOIN identity_group c ON c.scaikey_id = 'group_{t}_' || n;
INSERT INTO publishing_flow (id, tenant_id, name, description, created_at, updated_at)
    SELECT 'flow_{t}_' || n, '{t}', 'Flow ' || n, '', now(), now() FROM generate_series(1, {publications}) n;
INSERT INTO publishing_flowversion (flow_id, number, version, content, created_at, created_by)
    SELECT 'flow_{t}_' || n, 1, '1.0.0', v.content, now(), 'seed' FROM generate_series(1, {publications}) n,
    (SELECT content FROM publishing_flowversion ORDER BY id LIMIT 1) v;
INSERT INTO publishing_core (id, tenant_id, flow_id, slug, name, description, driver, created_at, updated_at)
    SELECT 'core_{t}_' || n, '{t}', 'flow_{t}_' || n, 'model-' || n, 'Model ' || n, '', 'flow', now(), now()
    FROM generate_series(1, {publications}) n;
INSERT INTO publishing_coreversion (core_id, number, program, manifest, flow_version, instance_mode, entity_scope,
    created_at, created_by)
    SELECT 'core_{t}_' || n, 1, v.program, v.manifest, '1.0.0', v.instance_mode, v.entity_scope, now(), 'seed'
    FROM generate_series(1, {publications}) n, (SELECT * FROM publishing_coreversion ORDER BY id LIMIT 1) v;
UPDATE publishing_core c SET live_id = v.id FROM publishing_coreversion v
    WHERE v.core_id = c.id AND c.tenant_id = '{t}';
INSERT INTO publishing_publication (core_id, tenant_id, name, visibility, published_at, published_by)
    SELECT 'core_{t}_' || n, '{t}', 'scaicore/{t}/model-' || n, CASE WHEN n % 10 = 0 THEN 'tenant' ELSE 'groups' END,
    now() - n * interval '1 hour', 'seed' FROM generate_series(1, {publications}) n;
INSERT INTO publishing_grant (tenant_id, publication_id, group_id)
    SELECT '{t}', 'core_{t}_' || n, g.id FROM generate_series(1, {publications}) n
    JOIN identity_group g ON g.scaikey_id = 'group_{t}_' || (1 + n % {groups}) WHERE n % 10 > 0;
INSERT INTO chatapi_usagerecord (at, request_id, tenant_id, user_id, key_id, core_id, core_version, model, purpose,
    is_streamed, outcome, prompt_tokens, completion_tokens, duration_ms)
    SELECT now() - n * interval '2 minutes', 'req_{t}_' || n, '{t}', 'user_{t}_' || (1 + n % {users}), '',
    'core_{t}_' || (1 + n % {publications}), 1, 'scaicore/{t}/model-' || (1 + n % {publications}), 'chat', false,
    CASE WHEN n % 9 = 0 THEN 'failed' ELSE 'ok' END, 10, 10, 10 FROM generate_series(1, {entries}) n;
INSERT INTO identity_auditentry (at, tenant, actor_id, actor, door, action, target, before, after)
    SELECT now() - n * interval '1 minute', '{t}', 'user_{t}_' || (1 + n % {users}),
    'user-' || (1 + n % {users}) || '@{t}.test', 'page',
    CASE n % 4 WHEN 0 THEN 'core.published' WHEN 1 THEN 'publication.changed' WHEN 2 THEN 'key.created'
    ELSE 'group.members_set' END, 'core_{t}_' || (1 + n % {publications}),
    jsonb_build_object('visibility', 'groups', 'group_ids', jsonb_build_array('group_{t}_' || (1 + n % {groups}))),
    jsonb_build_object('visibility', CASE WHEN n % 50 = 0 THEN 'tenant' ELSE 'groups' END,
    'name', 'scaicore/{t}/model-' || (1 + n % {publications}),
    'group_ids', jsonb_build_array('group_{t}_' || (1 + n % {groups})))
    FROM generate_series(1, {entries}) n;
INSERT INTO publishing_refusal (core_id, user_id, last_at)
    SELECT 'core_{t}_' || (1 + n % {publications}), 'user_{t}_' || n, now() - n * interval '1 hour'
    FROM generate_series(1, {users}) n;
"""


def fill(tenant: str, *, users: int, groups: int, publications: int, entries: int) -> None:
    """Seed a tenant that exists; `entries` runs and as many entries of the audit log."""
    numbers = {"users": users, "groups": groups, "publications": publications, "entries": entries}
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS.format(t=tenant, **numbers))
        cursor.execute("ANALYZE")
