import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recovery', '0017_exports_and_hl7_messages'),
    ]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='patient',
            field=models.ForeignKey(blank=True, help_text='Of a fixed token: the one patient whom its patient/ scopes reach.', null=True, on_delete=django.db.models.deletion.CASCADE, to='recovery.patient'),
        ),
    ]
