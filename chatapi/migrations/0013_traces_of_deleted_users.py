"""What a user has asked goes with the user from the traces, too."""

from django.db import migrations, models

FORGET = """
CREATE OR REPLACE FUNCTION chatapi_forget_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM chatapi_storedresponse WHERE user_id = OLD.id;
    DELETE FROM chatapi_storedcompletion WHERE user_id = OLD.id;
    DELETE FROM chatapi_runtrace WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
"""
UNDO_FORGET = """
CREATE OR REPLACE FUNCTION chatapi_forget_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM chatapi_storedresponse WHERE user_id = OLD.id;
    DELETE FROM chatapi_storedcompletion WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chatapi', '0012_run_causes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='runtrace',
            index=models.Index(fields=['user_id'], name='trace_by_user'),
        ),
        migrations.RunSQL(FORGET, UNDO_FORGET),
    ]
