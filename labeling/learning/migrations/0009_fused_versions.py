from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('learning', '0008_lookalikes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='modelversion',
            name='backbone',
            field=models.CharField(help_text='of several, their names', max_length=500),
        ),
        migrations.AlterField(
            model_name='modelversion',
            name='backbone_hash',
            field=models.CharField(help_text='of several, the SHA-256 over theirs', max_length=64),
        ),
    ]
