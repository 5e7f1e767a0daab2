"""What a user said goes with the user, whoever deletes the row and by whatever way."""

from django.db import migrations, models

# A trigger and not a step of `delete_user`: the promise also holds for a tenant's removal and for SQL by hand. A turn
# in a memory that the tenant shares stays, as a part of what the others talk with, but no longer says who made it.
FORGET = """
CREATE FUNCTION publishing_forget_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM publishing_turn t USING publishing_entity e WHERE e.id = t.entity_id AND e.owner = OLD.id;
    DELETE FROM publishing_entity WHERE owner = OLD.id;
    UPDATE publishing_turn SET user_id = '', idempotency_key = NULL WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER user_memory_forgotten AFTER DELETE ON identity_user
    FOR EACH ROW EXECUTE FUNCTION publishing_forget_user();
"""
UNDO_FORGET = """
DROP TRIGGER user_memory_forgotten ON identity_user;
DROP FUNCTION publishing_forget_user();
"""
# Users who were deleted before.
FORGET_GONE = """
DELETE FROM publishing_turn t USING publishing_entity e
WHERE e.id = t.entity_id AND e.owner <> '' AND NOT EXISTS (SELECT 1 FROM identity_user u WHERE u.id = e.owner);
DELETE FROM publishing_entity e
WHERE e.owner <> '' AND NOT EXISTS (SELECT 1 FROM identity_user u WHERE u.id = e.owner);
UPDATE publishing_turn t SET user_id = '', idempotency_key = NULL
WHERE t.user_id <> '' AND NOT EXISTS (SELECT 1 FROM identity_user u WHERE u.id = t.user_id);
-- The check that each turn has its entity is due now: a table with checks to come takes no new index.
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("publishing", "0009_provider_options"),
        ("identity", "0004_audit_door"),
    ]

    operations = [
        migrations.RunSQL(FORGET_GONE, migrations.RunSQL.noop),
        migrations.AddIndex("entity", models.Index(fields=["owner"], name="entity_by_owner")),
        migrations.AddIndex("turn", models.Index(fields=["user_id"], name="turn_by_user")),
        migrations.RunSQL(FORGET, UNDO_FORGET),
    ]
