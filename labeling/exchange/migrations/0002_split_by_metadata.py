"""Data sets whose splits keep photos with one value of their metadata on one side."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0025_watched_sources'),
        ('exchange', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='value',
            field=models.CharField(blank=True, db_default='', default='', help_text='Name of the metadata of which each value stays on one side, as vehicle.', max_length=60),
        ),
        migrations.AddField(
            model_name='dataset',
            name='values_upto',
            field=models.BigIntegerField(help_text='id of the last change of metadata that it reads', null=True),
        ),
        migrations.AlterField(
            model_name='dataset',
            name='together',
            field=models.CharField(choices=[('photo', 'Near-duplicates'), ('source', 'Photos of one source'), ('day', 'Photos of one day'), ('value', 'Photos with one value of their metadata')], default='photo', max_length=6),
        ),
    ]
