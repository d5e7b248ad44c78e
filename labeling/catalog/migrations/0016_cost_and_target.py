import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0015_wording_only'),
    ]

    operations = [
        migrations.AddField(
            model_name='project',
            name='hourly_cost',
            field=models.FloatField(blank=True, help_text="What an hour of a person's work costs, in the project's currency.", null=True, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(1000000000)]),
        ),
        migrations.AddField(
            model_name='project',
            name='currency',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name='project',
            name='target_per_decision',
            field=models.FloatField(blank=True, help_text='Images that each human decision shall settle.', null=True, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(1000000)]),
        ),
    ]
