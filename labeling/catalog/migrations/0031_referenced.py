"""Photos of a source that stay where they are, and what is said of those that cannot be had from there."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0030_templates'),
    ]

    operations = [
        migrations.AddField(
            model_name='watchedsource',
            name='referenced',
            field=models.BooleanField(db_default=False, default=False, help_text='its photos stay in the bucket, and are not copied'),
        ),
        migrations.AddField(
            model_name='damage',
            name='why',
            field=models.TextField(blank=True, db_default='', help_text='and what to do, of a photo that stays where it is'),
        ),
    ]
