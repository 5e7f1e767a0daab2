"""Responses that callers have stored, and their end with the user whose they are."""

from django.db import migrations, models

# A trigger and not a step of `delete_user`: the promise also holds for a tenant's removal and for SQL by hand.
FORGET = """
CREATE FUNCTION chatapi_forget_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM chatapi_storedresponse WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER user_responses_forgotten AFTER DELETE ON identity_user
    FOR EACH ROW EXECUTE FUNCTION chatapi_forget_user();
"""
UNDO_FORGET = """
DROP TRIGGER user_responses_forgotten ON identity_user;
DROP FUNCTION chatapi_forget_user();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chatapi', '0009_kept_usage'),
    ]

    operations = [
        migrations.CreateModel(
            name='StoredResponse',
            fields=[
                ('id', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('user_id', models.CharField(max_length=40)),
                ('model', models.CharField(max_length=200)),
                ('status', models.CharField(max_length=20)),
                ('previous_id', models.CharField(max_length=40, null=True)),
                ('input', models.JSONField()),
                ('response', models.JSONField()),
                ('created_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['user_id'], name='stored_response_by_user')],
            },
        ),
        migrations.RunSQL(FORGET, UNDO_FORGET),
    ]
