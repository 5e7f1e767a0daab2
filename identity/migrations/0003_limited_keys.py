"""Keys that are limited to chosen models, and the view of live keys that tells of it."""

import django.contrib.postgres.fields
from django.db import migrations, models

# A view takes further columns at its end only; and it gives none back, so the way back makes it anew.
LIVE_KEY = """
{make} VIEW identity_live_key AS
SELECT k.id AS key_id, k.digest, k.user_id, u.tenant_id,
       -- Used again, and the last note of it is a minute old: time to write it down anew.
       (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute') AS is_stale{more}
FROM identity_apikey k
JOIN identity_user u ON u.id = k.user_id AND u.is_active
JOIN identity_tenant t ON t.slug = u.tenant_id AND t.is_active
WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
"""
WITH_LIMIT = LIVE_KEY.format(make="CREATE OR REPLACE", more=",\n       k.models")
WITHOUT = "DROP VIEW identity_live_key;" + LIVE_KEY.format(make="CREATE", more="")

# Without its limit a limited key would open every model of its user.
END_LIMITED = "UPDATE identity_apikey SET revoked_at = now() WHERE models IS NOT NULL AND revoked_at IS NULL"


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_guards")]
    operations = [
        migrations.AddField(
            model_name="apikey",
            name="models",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200), editable=False, null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="livekey",
            name="models",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200), null=True, size=None
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("models__isnull", True), ("models__len__gt", 0), _connector="OR"),
                name="key_limit_not_empty",
            ),
        ),
        migrations.RunSQL(WITH_LIMIT, WITHOUT),
        migrations.RunSQL(migrations.RunSQL.noop, END_LIMITED),
    ]
