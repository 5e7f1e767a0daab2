"""What the chain of the audit log is made of: where a request came from, the links, and how they are computed."""

from django.db import migrations, models

DIGEST = """
CREATE FUNCTION identity_audit_digest(e identity_auditentry) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        -- Microseconds, since how a moment is written depends on the session.
        e.id, (extract(epoch FROM e.at) * 1000000)::bigint, e.tenant, e.actor_id, e.actor, e.door, e.action, e.target,
        e.before, e.after, e.request_id, e.address)::text, 'UTF8'))
$$;
CREATE FUNCTION identity_audit_hash(before bytea, seq bigint, digest bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(before || int8send(seq) || digest)
$$;
"""
UNDO_DIGEST = """
DROP FUNCTION identity_audit_hash;
DROP FUNCTION identity_audit_digest;
"""


# What is there already, in one statement: each link needs the hash of the one before, which an aggregate carries along.
# It goes on from the last link, and takes what has none.
LINK_OLD = """
CREATE FUNCTION identity_audit_link_next(state bytea, start bytea, seq bigint, digest bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(coalesce(state, start) || int8send(seq) || digest)
$$;
CREATE AGGREGATE identity_audit_link_all(bytea, bigint, bytea) (sfunc = identity_audit_link_next, stype = bytea);
CREATE FUNCTION identity_audit_link_old() RETURNS void LANGUAGE sql AS $$
    INSERT INTO identity_auditlink (tenant, seq, entry_id, digest, hash)
    SELECT tenant, seq, id, digest, identity_audit_link_all(start, seq, digest) OVER (PARTITION BY tenant ORDER BY seq)
    FROM (
        SELECT e.tenant, e.id, coalesce(last.hash, '') AS start, identity_audit_digest(e) AS digest,
               coalesce(last.seq, 0) + row_number() OVER (PARTITION BY e.tenant ORDER BY e.id) AS seq
        FROM identity_auditentry e
        LEFT JOIN (
            SELECT DISTINCT ON (tenant) tenant, seq, hash FROM identity_auditlink ORDER BY tenant, seq DESC
        ) AS last ON last.tenant = e.tenant
        WHERE NOT EXISTS (SELECT 1 FROM identity_auditlink l WHERE l.entry_id = e.id)
    ) AS numbered
$$;
"""
UNDO_LINK_OLD = """
DROP FUNCTION IF EXISTS identity_audit_link_old;
DROP AGGREGATE IF EXISTS identity_audit_link_all(bytea, bigint, bytea);
DROP FUNCTION IF EXISTS identity_audit_link_next;
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0006_sign_in_limits")]
    operations = [
        migrations.AddField(
            "auditentry", "request_id", models.CharField(blank=True, db_default="", default="", max_length=40)
        ),
        migrations.AddField(
            "auditentry", "address", models.CharField(blank=True, db_default="", default="", max_length=64)
        ),
        migrations.CreateModel(
            "AuditLink",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant", models.CharField(max_length=63)),
                ("seq", models.BigIntegerField()),
                ("entry_id", models.BigIntegerField(unique=True)),
                ("digest", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.RunSQL(DIGEST, UNDO_DIGEST),
        migrations.RunSQL(LINK_OLD, UNDO_LINK_OLD),
    ]
