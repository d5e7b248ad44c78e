"""Accounts. What a person may do in a project is a membership, and lives in the catalog."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from labeling.database.append_only import append_only

#: Names that we gave, not a person; kept as they are here and shown in the language of whoever looks.
BY_THE_API, WITHOUT_A_NAME = gettext_noop("Signed in by the API"), gettext_noop("Without a name")
MADE_EARLIER = gettext_noop("Made earlier")


def shown(name: str) -> str:
    return gettext(name) if name in (BY_THE_API, WITHOUT_A_NAME, MADE_EARLIER) else name


class User(AbstractUser):  # type: ignore[django-manager-missing]  # of the tokens, which a library declares
    """A person who signs in. ``is_superuser`` may create projects and manage accounts.

    ``sign_outs``: how often all sessions were ended at once. Sessions and one-time links are checked by it.
    """

    brightness_reset = models.BooleanField(
        default=False,
        help_text="Each new photo is shown in its own brightness, whatever the one before needed.",
    )
    own_keys = models.JSONField(
        default=dict, blank=True, help_text="Own keys of the labeling screen, beside the usual ones."
    )
    toured_at = models.DateTimeField(null=True, blank=True, help_text="When the labeling tour was seen.")
    sign_outs = models.PositiveIntegerField(default=0)

    class Meta(AbstractUser.Meta):
        triggers = [
            # By the database, as it is done by pages, by groups of single sign-on and on the command line.
            pgtrigger.Trigger(
                name="remember_superusers",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("is_superuser"),  # type: ignore[no-untyped-call]
                declare=[("before", "boolean DEFAULT false")],
                func="""
                    IF TG_OP = 'UPDATE' THEN before := OLD.is_superuser; END IF;
                    IF NEW.is_superuser <> before THEN
                        INSERT INTO people_accountevent (person_id, kind, what, at)
                        VALUES (NEW.id, CASE WHEN NEW.is_superuser THEN 'superuser_on' ELSE 'superuser_off' END, '', now());
                    END IF;
                    RETURN NULL;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def save(self, *args: Any, **named: Any) -> None:
        # ``_password`` is set where somebody chose another one, and not where Django only hashes the same one better.
        ends = self.pk is not None and (getattr(self, "_password", None) is not None or not self.is_active)
        super().save(*args, **named)
        if ends:
            Token.objects.filter(user=self).delete()
            SlackAccount.objects.filter(person=self).delete()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        value = f"{self.password}{self.sign_outs or ''}"
        return salted_hmac(salt, value, secret=secret, algorithm="sha256").hexdigest()


class Token(AbstractAuthToken):  # type: ignore[misc]
    """What a program signs in with, in a person's name. Only a hash of it is kept.

    ``token_key`` is its beginning, by which people tell their tokens apart.
    """

    name = models.CharField(max_length=60)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"

    @property
    def shown_name(self) -> str:
        return shown(self.name)


class SlackAccount(models.Model):
    """Who somebody of a Slack workspace (``team``) is here, as they confirmed while signed in. Ends as tokens do.

    ``team`` and ``member`` are Slack's own ids, ``name`` is what Slack called them then.
    """

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="slack")
    team = models.CharField(max_length=32)
    member = models.CharField(max_length=32)
    name = models.CharField(max_length=80)
    linked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "member"], name="one_person_a_slack_account")]

    def __str__(self) -> str:
        return f"@{self.name}"


class AccountEvent(models.Model):
    """Something that decides who can sign in as whom, and each sign-in. Appended, never changed.

    ``person``: whose account; none where somebody tried a name that no account has. Such a name is not kept, for people
    type their passwords into its field. ``what``: the address of a sign-in, the name of a token, a provider or an endpoint.
    """

    class Kind(models.TextChoices):
        INVITED = "invited", _("Invited")
        LINK_MADE = "link_made", _("One-time link made")
        LINK_MAILED = "link_mailed", _("One-time link asked for by mail")
        PASSWORD_SET = "password_set", _("Password set")
        SWITCHED_OFF = "switched_off", _("Switched off")
        SWITCHED_ON = "switched_on", _("Switched on")
        SIGNED_OUT = "signed_out", _("Signed out everywhere")
        TOKEN_MADE = "token_made", _("Token made")
        TOKEN_REVOKED = "token_revoked", _("Token revoked")
        TWO_STEP_ON = "two_step_on", _("Two-step sign-in switched on")
        TWO_STEP_OFF = "two_step_off", _("Two-step sign-in switched off")
        JOINED = "joined", _("Joined to single sign-on")
        SLACK_LINKED = "slack_linked", _("Slack account linked")
        SLACK_UNLINKED = "slack_unlinked", _("Slack account unlinked")
        SUPERUSER_ON = "superuser_on", _("Became an administrator of the site")
        SUPERUSER_OFF = "superuser_off", _("No longer an administrator of the site")
        SIGNED_IN = "signed_in", _("Signed in")
        SIGN_IN_FAILED = "sign_in_failed", _("Sign-in refused: wrong password")
        CODE_FAILED = "code_failed", _("Sign-in refused: wrong code")
        TRAIL_EXPORTED = "trail_exported", _("Audit trail exported")
        TEMPLATE_KEPT = "template_kept", _("Template kept in the site")
        TEMPLATE_REMOVED = "template_removed", _("Template removed from the site")
        ENDPOINT_MADE = "endpoint_made", _("Webhook of the whole site, or calls back, made")
        ENDPOINT_CHANGED = "endpoint_changed", _("Webhook of the whole site changed")
        ENDPOINT_REMOVED = "endpoint_removed", _("Webhook of the whole site, or calls back, removed")
        ENDPOINT_SECRET = (
            "endpoint_secret",
            _("Secret of a webhook of the whole site, or of calls back, renewed"),
        )
        ENDPOINT_ON = "endpoint_on", _("Webhook of the whole site, or calls back, switched on")
        ENDPOINT_OFF = "endpoint_off", _("Webhook of the whole site, or calls back, switched off")
        ENDPOINT_LEFT = "endpoint_left", _("Webhook of the whole site: its mails were unsubscribed from")
        ERASURE_ASKED = "erasure_asked", _("Identity hidden, to be erased")
        ERASURE_UNDONE = "erasure_undone", _("Identity brought back")
        ERASED = "erased", _("Identity erased")

    #: So many that an account's page would show little else.
    SIGN_INS = (Kind.SIGNED_IN, Kind.SIGN_IN_FAILED, Kind.CODE_FAILED)

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="account_events"
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    what = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        triggers = [append_only(texts=["what"])]

    def __str__(self) -> str:
        return f"{self.person}: {self.kind}"

    @property
    def shown_what(self) -> str:
        return shown(self.what)


class RateLimit(models.Model):
    """How often something was done in a window that is running; see :mod:`labeling.people.rate_limits`."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.count}"
