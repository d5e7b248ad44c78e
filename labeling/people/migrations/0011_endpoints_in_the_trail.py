from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0010_slack'),
    ]

    operations = [
        migrations.AlterField(
            model_name='accountevent',
            name='kind',
            field=models.CharField(choices=[('invited', 'Invited'), ('link_made', 'One-time link made'), ('link_mailed', 'One-time link asked for by mail'), ('password_set', 'Password set'), ('switched_off', 'Switched off'), ('switched_on', 'Switched on'), ('signed_out', 'Signed out everywhere'), ('token_made', 'Token made'), ('token_revoked', 'Token revoked'), ('two_step_on', 'Two-step sign-in switched on'), ('two_step_off', 'Two-step sign-in switched off'), ('joined', 'Joined to single sign-on'), ('slack_linked', 'Slack account linked'), ('slack_unlinked', 'Slack account unlinked'), ('superuser_on', 'Became an administrator of the site'), ('superuser_off', 'No longer an administrator of the site'), ('signed_in', 'Signed in'), ('sign_in_failed', 'Sign-in refused: wrong password'), ('code_failed', 'Sign-in refused: wrong code'), ('trail_exported', 'Audit trail exported'), ('template_kept', 'Template kept in the site'), ('template_removed', 'Template removed from the site'), ('endpoint_made', 'Webhook of the whole site, or calls back, made'), ('endpoint_changed', 'Webhook of the whole site changed'), ('endpoint_removed', 'Webhook of the whole site, or calls back, removed'), ('endpoint_secret', 'Secret of a webhook of the whole site, or of calls back, renewed'), ('endpoint_on', 'Webhook of the whole site, or calls back, switched on'), ('endpoint_off', 'Webhook of the whole site, or calls back, switched off'), ('endpoint_left', 'Webhook of the whole site: its mails were unsubscribed from'), ('erasure_asked', 'Identity hidden, to be erased'), ('erasure_undone', 'Identity brought back'), ('erased', 'Identity erased')], max_length=20),
        ),
    ]
