import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notify', '0006_removed'),
    ]

    operations = [
        migrations.AlterField(
            model_name='endpoint',
            name='kind',
            field=models.CharField(choices=[('webhook', 'Webhook'), ('mail', 'Mail'), ('slack', 'Slack')], default='webhook', max_length=12),
        ),
        migrations.CreateModel(
            name='SlackMessage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=80)),
                ('event', models.UUIDField()),
                ('dispute', models.UUIDField(null=True)),
                ('channel', models.CharField(blank=True, max_length=32)),
                ('ts', models.CharField(blank=True, max_length=32)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='slack_messages', to='notify.endpoint')),
            ],
            options={
                'indexes': [models.Index(fields=['endpoint', 'subject'], name='slack_messages_of_subject'), models.Index(fields=['endpoint', 'at'], name='slack_messages_by_time')],
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'event'), name='one_slack_message_an_event')],
            },
        ),
    ]
