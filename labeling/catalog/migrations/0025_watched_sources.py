"""Sources that are watched, and what they held when it was taken in last."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0024_metadata'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='intakebatch',
            name='kind',
            field=models.CharField(choices=[('upload', 'Upload'), ('zip', 'Zip'), ('folder', 'Folder'), ('urls', 'Urls'), ('bucket', 'Bucket')], max_length=8),
        ),
        migrations.CreateModel(
            name='WatchedSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('folder', 'Folder on the server'), ('bucket', 'Bucket')], max_length=8)),
                ('address', models.CharField(help_text='a folder, or the name of a bucket that is open and folders in it', max_length=800)),
                ('minutes', models.PositiveIntegerField(default=60, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(10080)])),
                ('paused', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('looked_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, help_text='of the last look', max_length=400)),
                ('there', models.PositiveIntegerField(default=0, help_text='files, as of the last look that succeeded')),
                ('new', models.PositiveIntegerField(default=0, help_text='files that the last look found for the first time')),
                ('changed', models.PositiveIntegerField(default=0, help_text='with another content, or asked for again')),
                ('gone', models.PositiveIntegerField(default=0, help_text='photos that are here and there no more')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watched_sources', to='catalog.project')),
            ],
        ),
        migrations.CreateModel(
            name='WatchedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=1000)),
                ('version', models.CharField(blank=True, help_text='another one where its bytes may differ', max_length=100)),
                ('gone_at', models.DateTimeField(help_text='first look that did not find it any more', null=True)),
                ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='watched', to='catalog.intakefile')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='files', to='catalog.watchedsource')),
            ],
        ),
        migrations.AddField(
            model_name='intakebatch',
            name='watched',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='batches', to='catalog.watchedsource'),
        ),
        migrations.AddConstraint(
            model_name='watchedsource',
            constraint=models.UniqueConstraint(fields=('project', 'kind', 'address'), name='watched_once_a_project'),
        ),
        migrations.AddConstraint(
            model_name='watchedfile',
            constraint=models.UniqueConstraint(fields=('source', 'path'), name='watched_file_once'),
        ),
    ]
