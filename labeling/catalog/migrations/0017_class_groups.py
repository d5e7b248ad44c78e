from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0016_cost_and_target'),
    ]

    operations = [
        migrations.AddField(
            model_name='classdefinition',
            name='group',
            field=models.CharField(blank=True, db_default='', default='', help_text='Heading under which it is listed.', max_length=60),
        ),
    ]
