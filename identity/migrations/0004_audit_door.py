"""Where somebody came in to change something."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0003_limited_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='auditentry',
            name='door',
            field=models.CharField(blank=True, choices=[('api', 'REST API'), ('page', 'Web pages'), ('admin', 'Admin'), ('command', 'Command line')], default='', max_length=10),
        ),
    ]
