from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0005_brightness_reset'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='own_keys',
            field=models.JSONField(blank=True, default=dict, help_text='Own keys of the labeling screen, beside the usual ones.'),
        ),
    ]
