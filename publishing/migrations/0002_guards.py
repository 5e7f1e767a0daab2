"""The access decision as one view, versions that never change, and grants that stay in their tenant."""

from django.db import migrations

# Read from the inside out: the groups that the user is in, directly or through nested groups; is one of them
# granted; or is the model open to the whole tenant. A user only ever meets publications of the own tenant.
ACCESS = """
CREATE VIEW publishing_access AS
SELECT u.id AS user_id, u.tenant_id, p.core_id AS publication_id, p.name, c.live_id AS version_id, p.published_at,
       (p.visibility = 'tenant' OR (p.visibility = 'groups' AND EXISTS (
           WITH RECURSIVE mine (group_id) AS (
               SELECT m.group_id FROM identity_membership m WHERE m.user_id = u.id
               UNION
               SELECT n.parent_id FROM identity_nesting n JOIN mine ON n.child_id = mine.group_id
           )
           SELECT 1 FROM mine JOIN publishing_grant g ON g.group_id = mine.group_id
           WHERE g.publication_id = p.core_id
       ))) AS may_call
FROM identity_user u
JOIN identity_tenant t ON t.slug = u.tenant_id AND t.is_active
JOIN publishing_publication p ON p.tenant_id = u.tenant_id
JOIN publishing_core c ON c.id = p.core_id AND c.live_id IS NOT NULL
WHERE u.is_active
"""

SAME_TENANT = """
ALTER TABLE publishing_publication ADD CONSTRAINT publication_tenant_id UNIQUE (tenant_id, core_id);
ALTER TABLE publishing_publication ADD CONSTRAINT publication_core_tenant
    FOREIGN KEY (tenant_id, core_id) REFERENCES publishing_core (tenant_id, id);
ALTER TABLE publishing_grant
    ADD CONSTRAINT grant_publication_tenant
        FOREIGN KEY (tenant_id, publication_id) REFERENCES publishing_publication (tenant_id, core_id),
    ADD CONSTRAINT grant_group_tenant FOREIGN KEY (tenant_id, group_id) REFERENCES identity_group (tenant_id, id);
"""
UNDO_SAME_TENANT = """
ALTER TABLE publishing_grant DROP CONSTRAINT grant_publication_tenant, DROP CONSTRAINT grant_group_tenant;
ALTER TABLE publishing_publication DROP CONSTRAINT publication_core_tenant, DROP CONSTRAINT publication_tenant_id;
"""

IMMUTABLE = """
CREATE FUNCTION publishing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% never changes once written', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER flow_version_immutable BEFORE UPDATE ON publishing_flowversion
    FOR EACH ROW EXECUTE FUNCTION publishing_refuse_change();
CREATE TRIGGER core_version_immutable BEFORE UPDATE ON publishing_coreversion
    FOR EACH ROW EXECUTE FUNCTION publishing_refuse_change();
"""
UNDO_IMMUTABLE = """
DROP TRIGGER flow_version_immutable ON publishing_flowversion;
DROP TRIGGER core_version_immutable ON publishing_coreversion;
DROP FUNCTION publishing_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("publishing", "0001_initial"), ("identity", "0002_guards")]
    operations = [
        migrations.RunSQL(ACCESS, "DROP VIEW publishing_access"),
        migrations.RunSQL(SAME_TENANT, UNDO_SAME_TENANT),
        migrations.RunSQL(IMMUTABLE, UNDO_IMMUTABLE),
    ]
