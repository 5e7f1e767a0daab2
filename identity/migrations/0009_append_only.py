"""The audit log is append-only, and each entry is linked to the one before it in its tenant.

The link is made when a transaction ends, by a deferred trigger: a lock that is taken earlier would be held while other
rows are locked, so that two transactions could wait for each other, and for as long as the longest of them lasts.
"""

from django.db import migrations

# Nothing is written between the last of the old links and the trigger that makes new ones.
LINK_REST = """
LOCK TABLE identity_auditentry IN SHARE ROW EXCLUSIVE MODE;
SELECT identity_audit_link_old();
DROP FUNCTION identity_audit_link_old;
DROP AGGREGATE identity_audit_link_all(bytea, bigint, bytea);
DROP FUNCTION identity_audit_link_next;
"""

CHAIN = """
CREATE FUNCTION identity_audit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    noted text := coalesce(current_setting('scaigrid.audit_tenants', true), '');
BEGIN
    IF NOT NEW.tenant = ANY (string_to_array(noted, ' ')) THEN
        PERFORM set_config('scaigrid.audit_tenants', concat_ws(' ', nullif(noted, ''), NEW.tenant), true);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION identity_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one text;
    last identity_auditlink;
    digest bytea := identity_audit_digest(NEW);
BEGIN
    -- Every tenant of the transaction, in the order that all transactions take.
    FOR one IN SELECT unnest(string_to_array(current_setting('scaigrid.audit_tenants', true), ' ')) ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(hashtext('identity_auditlink'), hashtext(one));
    END LOOP;
    SELECT * INTO last FROM identity_auditlink l WHERE l.tenant = NEW.tenant ORDER BY l.seq DESC LIMIT 1;
    INSERT INTO identity_auditlink (tenant, seq, entry_id, digest, hash) VALUES (
        NEW.tenant, coalesce(last.seq, 0) + 1, NEW.id, digest,
        identity_audit_hash(coalesce(last.hash, ''), coalesce(last.seq, 0) + 1, digest));
    RETURN NULL;
END $$;

CREATE FUNCTION identity_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' AND current_setting('scaigrid.audit_may_cut', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit log is append-only: % of % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'manage.py cut_audit removes what is old.';
END $$;

CREATE TRIGGER audit_note BEFORE INSERT ON identity_auditentry
    FOR EACH ROW EXECUTE FUNCTION identity_audit_note();
CREATE CONSTRAINT TRIGGER audit_link AFTER INSERT ON identity_auditentry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION identity_audit_link();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON identity_auditentry
    FOR EACH ROW EXECUTE FUNCTION identity_audit_refuse();
CREATE TRIGGER audit_refuse_all BEFORE TRUNCATE ON identity_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION identity_audit_refuse();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON identity_auditlink
    FOR EACH ROW EXECUTE FUNCTION identity_audit_refuse();
CREATE TRIGGER audit_refuse_all BEFORE TRUNCATE ON identity_auditlink
    FOR EACH STATEMENT EXECUTE FUNCTION identity_audit_refuse();
"""
UNDO_CHAIN = """
DROP TRIGGER audit_note ON identity_auditentry;
DROP TRIGGER audit_link ON identity_auditentry;
DROP TRIGGER audit_refuse ON identity_auditentry;
DROP TRIGGER audit_refuse_all ON identity_auditentry;
DROP TRIGGER audit_refuse ON identity_auditlink;
DROP TRIGGER audit_refuse_all ON identity_auditlink;
DROP FUNCTION identity_audit_note, identity_audit_link, identity_audit_refuse;
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0008_link_old_entries")]
    operations = [migrations.RunSQL(LINK_REST, ""), migrations.RunSQL(CHAIN, UNDO_CHAIN)]
