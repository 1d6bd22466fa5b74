import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recovery', '0020_photos_of_drafts'),
    ]

    operations = [
        migrations.CreateModel(
            name='SmsReceived',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider_id', models.CharField(max_length=100, unique=True)),
                ('received_at', models.DateTimeField()),
                ('meant', models.CharField(max_length=12)),
            ],
        ),
        migrations.CreateModel(
            name='ContactChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('none', 'Not at all'), ('email', 'E-mail'), ('sms', 'SMS')], default='none', max_length=5)),
                ('address', models.CharField(blank=True, max_length=254)),
                ('quiet_from', models.TimeField()),
                ('quiet_until', models.TimeField()),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('set_at', models.DateTimeField()),
                ('patient', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='contact_choice', to='recovery.patient')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('channel', 'sms')), fields=['address'], name='contact_by_phone')],
                'constraints': [models.CheckConstraint(condition=models.Q(('channel__in', ['none', 'email', 'sms'])), name='contact_channel_known'), models.CheckConstraint(condition=models.Q(('channel', 'none'), models.Q(('address', ''), _negated=True), _connector='OR'), name='contact_has_an_address')],
            },
        ),
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('slot', models.CharField(max_length=64)),
                ('channel', models.CharField(max_length=5)),
                ('intended_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('not_before', models.DateTimeField()),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('ended_as', models.CharField(blank=True, help_text='sent, answered, expired, stopped, failed', max_length=12)),
                ('last_error', models.CharField(blank=True, max_length=200)),
                ('episode', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reminders', to='recovery.episode')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('ended_as', '')), fields=['not_before'], name='reminder_open')],
                'constraints': [models.UniqueConstraint(fields=('episode', 'slot'), name='reminder_once_a_slot')],
            },
        ),
    ]
