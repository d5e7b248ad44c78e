import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('catalog', '0031_referenced'),
        ('learning', '0009_fused_versions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Shadow',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='shadow', serialize=False, to='catalog.project')),
                ('since', models.DateTimeField(auto_now=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='learning.modelversion')),
            ],
        ),
        migrations.CreateModel(
            name='ShadowComparison',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('photos', models.BigIntegerField(default=0)),
                ('agreed', models.BigIntegerField(default=0, help_text='of them, those of which both say the same class')),
                ('pairs', models.JSONField(default=dict, help_text='class id of the champion -> of the challenger -> photos')),
                ('apart', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='photos by total variation distance of the probabilities, in 10 bins from 0 to 1', size=None)),
                ('first_at', models.DateTimeField(auto_now_add=True)),
                ('last_at', models.DateTimeField(auto_now=True)),
                ('challenger', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shadowed', to='learning.modelversion')),
                ('champion', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='learning.modelversion')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('champion', 'challenger'), name='compared_in_the_shadow_once')],
            },
        ),
    ]
