import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0018_guideline_proposals'),
    ]

    operations = [
        migrations.AddField(
            model_name='project',
            name='further_backbones',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), blank=True, default=list, help_text='They look at the photos beside it; each training takes what answers held out gain by.', size=None, verbose_name='Further backbones'),
        ),
    ]
