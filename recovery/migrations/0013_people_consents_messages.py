import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recovery', '0012_connected_apps'),
    ]

    operations = [
        migrations.CreateModel(
            name='Thread',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('subject', models.CharField(max_length=120)),
                ('opened_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('waiting_since', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='threads', to='recovery.patient')),
            ],
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('from_team', models.BooleanField()),
                ('author_words', models.CharField(max_length=200)),
                ('text', models.TextField(max_length=4000)),
                ('sent_at', models.DateTimeField()),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('read_by_words', models.CharField(blank=True, max_length=200)),
                ('document', models.CharField(blank=True, max_length=64)),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('thread', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='recovery.thread')),
            ],
        ),
        migrations.CreateModel(
            name='CaregiverGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('called', models.CharField(max_length=80)),
                ('relation', models.CharField(choices=[('partner', 'Partner'), ('daughter', 'Daughter'), ('son', 'Son'), ('parent', 'Parent'), ('relative', 'Relative'), ('friend', 'Friend'), ('carer', 'Carer')], max_length=10)),
                ('may_see', models.BooleanField(default=False)),
                ('may_answer', models.BooleanField(default=False)),
                ('may_write', models.BooleanField(default=False)),
                ('may_connect', models.BooleanField(default=False)),
                ('link_hash', models.CharField(blank=True, max_length=64)),
                ('link_until', models.DateTimeField()),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('asked_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='recovery.patient')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='grants', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['user'], name='grant_open_of_user')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('link_hash', ''), _negated=True), fields=('link_hash',), name='grant_link_once'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('user__isnull', False)), fields=('patient', 'user'), name='grant_open_once'), models.CheckConstraint(condition=models.Q(('may_see', True), ('may_answer', True), ('may_write', True), ('may_connect', True), _connector='OR'), name='grant_allows_something')],
            },
        ),
        migrations.CreateModel(
            name='ConsentDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('care', 'My care'), ('improvement', 'Making the service better'), ('research', 'Research')], max_length=12)),
                ('data_type', models.CharField(choices=[('activity', 'Activity and sleep'), ('vitals', 'Pulse, breathing, oxygen and temperature'), ('implant', 'Readings of an implant'), ('answers', 'My answers and reports'), ('records', 'Hospital records and blood values')], max_length=10)),
                ('allowed', models.BooleanField()),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(blank=True, null=True)),
                ('said_by', models.CharField(max_length=150)),
                ('document', models.CharField(blank=True, max_length=64)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='recovery.patient')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('until__isnull', True)), fields=('patient', 'purpose', 'data_type'), name='consent_stands_once'), models.CheckConstraint(condition=models.Q(('purpose__in', ['care', 'improvement', 'research'])), name='consent_purpose'), models.CheckConstraint(condition=models.Q(('data_type__in', ['activity', 'vitals', 'implant', 'answers', 'records'])), name='consent_type'), models.CheckConstraint(condition=models.Q(('allowed', False), ('data_type', 'records'), ('purpose', 'care'), _negated=True), name='consent_records_for_care')],
            },
        ),
        migrations.CreateModel(
            name='ErasureRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('status', models.CharField(choices=[('asked', 'Asked'), ('held', 'Kept by law'), ('erased', 'Erased'), ('taken_back', 'Taken back')], default='asked', max_length=10)),
                ('asked_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('answered_name', models.CharField(blank=True, max_length=150)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('review_on', models.DateField(blank=True, null=True)),
                ('rows_erased', models.PositiveIntegerField(blank=True, null=True)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='erasure_requests', to='recovery.patient')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ['asked', 'held'])), fields=('patient',), name='erasure_open_once'), models.CheckConstraint(condition=models.Q(('status__in', ['asked', 'held', 'erased', 'taken_back'])), name='erasure_status_known'), models.CheckConstraint(condition=models.Q(('reason', ''), ('status', 'held'), _negated=True), name='erasure_hold_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='SourceChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric', models.CharField(max_length=40)),
                ('source', models.CharField(max_length=200)),
                ('chosen_at', models.DateTimeField()),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='source_choices', to='recovery.patient')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('patient', 'metric'), name='source_choice_once')],
            },
        ),
        migrations.AddIndex(
            model_name='thread',
            index=models.Index(fields=['patient', '-last_at'], name='thread_of_patient'),
        ),
        migrations.AddIndex(
            model_name='thread',
            index=models.Index(fields=['waiting_since'], name='thread_waiting'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['thread', 'sent_at'], name='message_of_thread'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('read_at__isnull', True)), fields=['thread', 'from_team'], name='message_unread'),
        ),
    ]
