"""Sources that are watched no more keep their row, and with it what was seen."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0028_metadata_numbers'),
    ]

    operations = [
        migrations.AddField(
            model_name='watchedsource',
            name='removed_at',
            field=models.DateTimeField(help_text='watched no more; what came in by it stays', null=True),
        ),
    ]
