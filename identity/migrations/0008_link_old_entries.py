"""Link the entries of the audit log that are there, while others go on writing it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("identity", "0007_audit_chain")]
    operations = [migrations.RunSQL("SELECT identity_audit_link_old()", "")]
