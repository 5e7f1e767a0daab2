import django.contrib.postgres.fields
from django.db import migrations, models

# Which of some costs fit into the room, one after the other; of a soft limit all of them do.
FITTING = """
CREATE FUNCTION publishing_fitting(
    asked numeric[], room numeric, is_soft boolean, OUT granted numeric, OUT fits boolean[]
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    cost numeric;
    has_room boolean;
BEGIN
    granted := 0;
    fits := '{}';
    FOREACH cost IN ARRAY asked LOOP
        has_room := is_soft OR granted + cost <= room;
        IF has_room THEN
            granted := granted + cost;
        END IF;
        fits := fits || has_room;
    END LOOP;
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('publishing', '0013_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='limitcell',
            name='fits',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BooleanField(), null=True, size=None),
        ),
        migrations.RunSQL(FITTING, "DROP FUNCTION publishing_fitting(numeric[], numeric, boolean)"),
    ]
