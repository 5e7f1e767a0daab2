"""Completions that callers have stored, and their end with the user whose they are."""

from django.db import migrations, models

FORGET = """
CREATE OR REPLACE FUNCTION chatapi_forget_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM chatapi_storedresponse WHERE user_id = OLD.id;
    DELETE FROM chatapi_storedcompletion WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
"""
UNDO_FORGET = """
CREATE OR REPLACE FUNCTION chatapi_forget_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM chatapi_storedresponse WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chatapi', '0010_stored_response'),
    ]

    operations = [
        migrations.CreateModel(
            name='StoredCompletion',
            fields=[
                ('id', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('user_id', models.CharField(max_length=40)),
                ('model', models.CharField(max_length=200)),
                ('completion', models.JSONField()),
                ('messages', models.JSONField()),
                ('metadata', models.JSONField()),
                ('created_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['user_id', 'created_at', 'id'], name='stored_completion_by_user')],
            },
        ),
        migrations.RunSQL(FORGET, UNDO_FORGET),
    ]
