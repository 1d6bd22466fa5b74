import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recovery', '0011_identity_and_pathways'),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Authorization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('encounter', models.CharField(blank=True, max_length=64)),
                ('scopes', models.CharField(max_length=2000)),
                ('is_launched', models.BooleanField(default=False, help_text='The patient came with a launch, nobody picked one.')),
                ('code_hash', models.CharField(max_length=64, unique=True)),
                ('family', models.UUIDField(blank=True, null=True, unique=True)),
                ('session_hash', models.CharField(blank=True, help_text='Of online_access: ends with this session.', max_length=64)),
                ('created_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AuthorizedToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.CreateModel(
            name='EhrIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', models.CharField(max_length=300)),
                ('fhir_user', models.CharField(max_length=300)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Launch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('handle_hash', models.CharField(max_length=64, unique=True)),
                ('encounter', models.CharField(blank=True, help_text='Id of the Encounter document.', max_length=64)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='SpentAssertion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jti', models.CharField(help_text="SHA-256 of the assertion's own jti, which may be of any length.", max_length=64)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.AddField(
            model_name='connection',
            name='application',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='connection', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
        ),
        migrations.AddField(
            model_name='connection',
            name='jwks',
            field=models.JSONField(blank=True, default=dict, help_text='Public keys, where it gives no address for them.'),
        ),
        migrations.AddField(
            model_name='connection',
            name='jwks_url',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='connection',
            name='kind',
            field=models.CharField(choices=[('token', 'System with a fixed token'), ('backend', 'Backend service'), ('app', 'App that people open')], db_default='token', default='token', max_length=10),
        ),
        migrations.AddField(
            model_name='connection',
            name='launch_url',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AlterField(
            model_name='connection',
            name='token_hash',
            field=models.CharField(blank=True, max_length=64, null=True, unique=True),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('application__isnull', True), ('kind', 'token'), ('token_hash__isnull', False)), models.Q(('application__isnull', False), ('kind__in', ['backend', 'app']), ('token_hash__isnull', True)), _connector='OR'), name='connection_shows_what_its_kind_has'),
        ),
        migrations.AddField(
            model_name='authorization',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='authorizations', to='recovery.connection'),
        ),
        migrations.AddField(
            model_name='authorization',
            name='patient',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='recovery.patient'),
        ),
        migrations.AddField(
            model_name='authorization',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='authorizedtoken',
            name='access_token',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='authorized', to=settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL),
        ),
        migrations.AddField(
            model_name='authorizedtoken',
            name='authorization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='recovery.authorization'),
        ),
        migrations.AddField(
            model_name='ehridentity',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='launch',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='launches', to='recovery.connection'),
        ),
        migrations.AddField(
            model_name='launch',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='recovery.patient'),
        ),
        migrations.AddField(
            model_name='launch',
            name='user',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='spentassertion',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='recovery.connection'),
        ),
        migrations.AddIndex(
            model_name='authorization',
            index=models.Index(fields=['user', 'connection'], name='authorization_of_person'),
        ),
        migrations.AddConstraint(
            model_name='ehridentity',
            constraint=models.UniqueConstraint(fields=('issuer', 'fhir_user'), name='ehr_identity_once'),
        ),
        migrations.AddConstraint(
            model_name='spentassertion',
            constraint=models.UniqueConstraint(fields=('connection', 'jti'), name='assertion_once'),
        ),
    ]
