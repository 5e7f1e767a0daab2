"""Holds, and whom a Core was open to when it was last un-published."""

import django.db.models.deletion
from django.db import migrations, models

# Whoever publishes and whoever holds meet on the Core's row, so that the second sees what the first has written.
NOT_BOTH = """
CREATE FUNCTION publishing_refuse_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM publishing_core WHERE id = NEW.core_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT 1 FROM publishing_publication WHERE core_id = NEW.core_id)
        AND EXISTS (SELECT 1 FROM publishing_hold WHERE core_id = NEW.core_id) THEN
        RAISE EXCEPTION 'a held Core is not published' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER publication_not_held AFTER INSERT OR UPDATE OF core_id ON publishing_publication
    FOR EACH ROW EXECUTE FUNCTION publishing_refuse_held();
CREATE TRIGGER hold_not_published AFTER INSERT OR UPDATE OF core_id ON publishing_hold
    FOR EACH ROW EXECUTE FUNCTION publishing_refuse_held();
"""
UNDO_NOT_BOTH = """
DROP TRIGGER hold_not_published ON publishing_hold;
DROP TRIGGER publication_not_held ON publishing_publication;
DROP FUNCTION publishing_refuse_held();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0003_limited_keys'),
        ('publishing', '0007_refusals'),
    ]

    operations = [
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('core', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='hold', serialize=False, to='publishing.core')),
                ('reason', models.CharField(max_length=500)),
                ('held_at', models.DateTimeField()),
                ('held_by', models.CharField(max_length=254)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='hold_has_reason')],
            },
        ),
        migrations.CreateModel(
            name='LastVisibility',
            fields=[
                ('core', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='last_visibility', serialize=False, to='publishing.core')),
                ('visibility', models.CharField(choices=[('tenant', 'Everyone in the tenant'), ('groups', 'Members of the listed groups')], max_length=10)),
                ('groups', models.ManyToManyField(related_name='+', to='identity.group')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('visibility__in', ['tenant', 'groups'])), name='last_visibility_known')],
            },
        ),
        migrations.RunSQL(NOT_BOTH, UNDO_NOT_BOTH),
    ]
