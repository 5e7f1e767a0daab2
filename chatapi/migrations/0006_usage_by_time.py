import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('chatapi', '0005_usage_days'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='usagerecord',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['at'], name='usage_by_time'),
        ),
    ]
