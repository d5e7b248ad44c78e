"""What was asked to be erased, and how far it is."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('catalog', '0026_erased'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('scope', models.CharField(choices=[('photos', 'Photos'), ('group', 'A photo and its near-duplicates'), ('source', 'All photos of a source'), ('project', 'All photos of the project'), ('limit', 'Time limit of the project'), ('again', 'Had been erased, and came back')], max_length=8)),
                ('source', models.CharField(blank=True, help_text='whose photos; empty once they are gone', max_length=200)),
                ('reason', models.CharField(max_length=300)),
                ('took', models.JSONField(default=dict, help_text='what went and what stayed, as it was when it was asked for')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('due_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(null=True)),
                ('gone_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(help_text='null: a time limit', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='erasures', to='catalog.project')),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ErasedPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('images', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('kept', models.JSONField(default=dict)),
                ('stays', models.BooleanField(default=False)),
                ('waits_for', models.CharField(blank=True, max_length=300)),
                ('taken_at', models.DateTimeField(null=True)),
                ('back_at', models.DateTimeField(null=True)),
                ('gone_at', models.DateTimeField(null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.item')),
                ('erasure', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='photos', to='erasure.erasure')),
            ],
        ),
        migrations.CreateModel(
            name='ErasedPerson',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=300)),
                ('kept', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('due_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(null=True)),
                ('gone_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('person',), name='person_erased_once'), models.CheckConstraint(condition=models.Q(('gone_at__isnull', True), models.Q(('kept', {}), ('undone_at__isnull', True)), _connector='OR'), name='gone_person_is_nobody')],
            },
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=models.Index(fields=['project', '-created_at'], name='erasures_of_project'),
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=models.Index(condition=models.Q(('gone_at__isnull', True), ('undone_at__isnull', True)), fields=['due_at'], name='erasures_due'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=models.CheckConstraint(condition=models.Q(('undone_at__isnull', True), ('gone_at__isnull', True), _connector='OR'), name='erased_or_undone'),
        ),
        migrations.AddIndex(
            model_name='erasedphoto',
            index=models.Index(condition=models.Q(('waits_for', ''), _negated=True), fields=['erasure'], name='erased_waiting'),
        ),
        migrations.AddConstraint(
            model_name='erasedphoto',
            constraint=models.UniqueConstraint(condition=models.Q(('back_at__isnull', True)), fields=('item',), name='erased_once'),
        ),
        migrations.AddConstraint(
            model_name='erasedphoto',
            constraint=models.CheckConstraint(condition=models.Q(('gone_at__isnull', True), models.Q(('images', []), ('kept', {})), _connector='OR'), name='gone_holds_nothing'),
        ),
    ]
