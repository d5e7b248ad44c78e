from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0003_crashes'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='counted_since',
            field=models.DateTimeField(blank=True, help_text='when it began what ``message`` tells of, which ``done`` counts', null=True),
        ),
    ]
