"""What Django's models cannot say: the view of live keys, and foreign keys that hold a tenant together."""

from django.db import migrations

LIVE_KEY = """
CREATE VIEW identity_live_key AS
SELECT k.id AS key_id, k.digest, k.user_id, u.tenant_id,
       -- Used again, and the last note of it is a minute old: time to write it down anew.
       (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute') AS is_stale
FROM identity_apikey k
JOIN identity_user u ON u.id = k.user_id AND u.is_active
JOIN identity_tenant t ON t.slug = u.tenant_id AND t.is_active
WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
"""

# A membership or nesting that crosses tenants would open one organisation's models to another.
SAME_TENANT = """
ALTER TABLE identity_user ADD CONSTRAINT user_tenant_id UNIQUE (tenant_id, id);
ALTER TABLE identity_membership
    ADD CONSTRAINT membership_user_tenant FOREIGN KEY (tenant_id, user_id) REFERENCES identity_user (tenant_id, id),
    ADD CONSTRAINT membership_group_tenant FOREIGN KEY (tenant_id, group_id) REFERENCES identity_group (tenant_id, id);
ALTER TABLE identity_nesting
    ADD CONSTRAINT nesting_parent_tenant FOREIGN KEY (tenant_id, parent_id) REFERENCES identity_group (tenant_id, id),
    ADD CONSTRAINT nesting_child_tenant FOREIGN KEY (tenant_id, child_id) REFERENCES identity_group (tenant_id, id);
"""
UNDO_SAME_TENANT = """
ALTER TABLE identity_membership DROP CONSTRAINT membership_user_tenant, DROP CONSTRAINT membership_group_tenant;
ALTER TABLE identity_nesting DROP CONSTRAINT nesting_parent_tenant, DROP CONSTRAINT nesting_child_tenant;
ALTER TABLE identity_user DROP CONSTRAINT user_tenant_id;
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]
    operations = [
        migrations.RunSQL(LIVE_KEY, "DROP VIEW identity_live_key"),
        migrations.RunSQL(SAME_TENANT, UNDO_SAME_TENANT),
    ]
