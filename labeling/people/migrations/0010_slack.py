import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0009_templates_in_the_trail'),
    ]

    operations = [
        migrations.AlterField(
            model_name='accountevent',
            name='kind',
            field=models.CharField(choices=[('invited', 'Invited'), ('link_made', 'One-time link made'), ('link_mailed', 'One-time link asked for by mail'), ('password_set', 'Password set'), ('switched_off', 'Switched off'), ('switched_on', 'Switched on'), ('signed_out', 'Signed out everywhere'), ('token_made', 'Token made'), ('token_revoked', 'Token revoked'), ('two_step_on', 'Two-step sign-in switched on'), ('two_step_off', 'Two-step sign-in switched off'), ('joined', 'Joined to single sign-on'), ('slack_linked', 'Slack account linked'), ('slack_unlinked', 'Slack account unlinked'), ('superuser_on', 'Became an administrator of the site'), ('superuser_off', 'No longer an administrator of the site'), ('signed_in', 'Signed in'), ('sign_in_failed', 'Sign-in refused: wrong password'), ('code_failed', 'Sign-in refused: wrong code'), ('trail_exported', 'Audit trail exported'), ('template_kept', 'Template kept in the site'), ('template_removed', 'Template removed from the site'), ('erasure_asked', 'Identity hidden, to be erased'), ('erasure_undone', 'Identity brought back'), ('erased', 'Identity erased')], max_length=20),
        ),
        migrations.CreateModel(
            name='SlackAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team', models.CharField(max_length=32)),
                ('member', models.CharField(max_length=32)),
                ('name', models.CharField(max_length=80)),
                ('linked_at', models.DateTimeField(auto_now_add=True)),
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='slack', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('team', 'member'), name='one_person_a_slack_account')],
            },
        ),
    ]
