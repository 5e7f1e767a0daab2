"""What a version usually brings: a column with a default in each table of the hot path, and an index."""

from django.db import migrations

TABLES = ["identity_apikey", "identity_user", "publishing_core", "publishing_publication", "chatapi_usagerecord"]


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        *(
            migrations.RunSQL(f"ALTER TABLE {table} ADD COLUMN to_come text NOT NULL DEFAULT ''", migrations.RunSQL.noop)
            for table in TABLES
        ),
        migrations.RunSQL("CREATE INDEX ON chatapi_usagerecord (to_come)", migrations.RunSQL.noop),
    ]
