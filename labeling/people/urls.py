from allauth.account import views as account_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as totp_views
from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import path

from labeling.people.views import account, links, own_keys, people, signing_in, single

urlpatterns = [
    path("login", signing_in.SignIn.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("me/brightness", signing_in.brightness, name="brightness"),
    path("me/keys", own_keys.own_keys, name="own-keys"),
    path("me/toured", signing_in.tour_seen, name="tour-seen"),
    path("account", account.account, name="account"),
    path("account/password", account.ChangePassword.as_view(), name="password-change"),
    path("account/sign-out", account.sign_out_everywhere, name="sign-out-everywhere"),
    path("account/tokens", account.make_token, name="token-make"),
    path("account/tokens/<str:key>/revoke", account.revoke_token, name="token-revoke"),
    path("account/slack/unlink", account.unlink_slack, name="slack-unlink"),
    path("forgot", links.Forgot.as_view(), name="forgot"),
    path("forgot/sent", links.ForgotSent.as_view(), name="forgot-sent"),
    path("link/<str:uidb64>/<str:token>", links.ChoosePassword.as_view(), name="link"),
    # django-allauth finds its pages under these names.
    path("login", signing_in.SignIn.as_view(), name="account_login"),
    path("login/code", mfa_views.authenticate, name="mfa_authenticate"),
    path("account/again", account_views.reauthenticate, name="account_reauthenticate"),
    path("account/again/code", mfa_views.reauthenticate, name="mfa_reauthenticate"),
    path("account/two-step", account.account, name="mfa_index"),
    path("account/two-step/on", totp_views.activate_totp, name="mfa_activate_totp"),
    path("account/two-step/off", totp_views.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/two-step/codes", recovery_views.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "account/two-step/codes/new",
        recovery_views.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path("sso", single.begin, {"provider_id": settings.SSO_ID}, name="openid_connect_login"),
    path("sso/callback", single.come_back, {"provider_id": settings.SSO_ID}, name="openid_connect_callback"),
    path("people", people.people, name="people"),
    path("people/invite", people.invite, name="person-invite"),
    path("people/<int:pk>", people.person, name="person"),
    path("people/<int:pk>/link", people.make_link, name="person-link"),
    path("people/<int:pk>/switch", people.switch, name="person-switch"),
    path("people/<int:pk>/sign-out", people.sign_out, name="person-sign-out"),
    path("people/<int:pk>/two-step", people.drop_second_step, name="person-two-step"),
    path("people/<int:pk>/tokens/<str:key>/revoke", people.revoke_token, name="person-token-revoke"),
]
