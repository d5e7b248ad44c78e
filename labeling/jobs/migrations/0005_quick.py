from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0004_counted_since'),
    ]

    operations = [
        migrations.AlterField(
            model_name='job',
            name='queue',
            field=models.CharField(choices=[('cpu', 'cpu'), ('gpu', 'gpu'), ('quick', 'quick')], default='cpu', max_length=10),
        ),
    ]
