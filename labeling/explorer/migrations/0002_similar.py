import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0023_search'),
        ('explorer', '0001_saved_views'),
        ('jobs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # The job makes it with the first table in it; what is in it can be computed again.
        migrations.RunSQL(migrations.RunSQL.noop, 'DROP SCHEMA IF EXISTS derived CASCADE'),
        migrations.CreateModel(
            name='Space',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('backbone', models.CharField(help_text='in the registry', max_length=120)),
                ('backbone_hash', models.CharField(max_length=64)),
                ('projection', models.BinaryField(help_text='as inference.projection writes it')),
                ('fitted_on', models.PositiveIntegerField(help_text='photos that there were to fit it to')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='spaces', to='catalog.project')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AskedPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=400)),
                ('vector', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), null=True, size=None)),
                ('code', models.CharField(blank=True, help_text='bits, as 0 and 1', max_length=256)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.job')),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='asked', to='explorer.space')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('space', 'sha256'), name='asked_once_a_space')],
            },
        ),
    ]
