from django.contrib.auth.views import LogoutView
from django.urls import path

from labeling.people.views import account, links, people, signing_in

urlpatterns = [
    path("login", signing_in.SignIn.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("me/brightness", signing_in.brightness, name="brightness"),
    path("me/toured", signing_in.tour_seen, name="tour-seen"),
    path("account", account.account, name="account"),
    path("account/password", account.ChangePassword.as_view(), name="password-change"),
    path("account/sign-out", account.sign_out_everywhere, name="sign-out-everywhere"),
    path("account/tokens", account.make_token, name="token-make"),
    path("account/tokens/<str:key>/revoke", account.revoke_token, name="token-revoke"),
    path("forgot", links.Forgot.as_view(), name="forgot"),
    path("forgot/sent", links.ForgotSent.as_view(), name="forgot-sent"),
    path("link/<str:uidb64>/<str:token>", links.ChoosePassword.as_view(), name="link"),
    path("people", people.people, name="people"),
    path("people/invite", people.invite, name="person-invite"),
    path("people/<int:pk>", people.person, name="person"),
    path("people/<int:pk>/link", people.make_link, name="person-link"),
    path("people/<int:pk>/switch", people.switch, name="person-switch"),
    path("people/<int:pk>/sign-out", people.sign_out, name="person-sign-out"),
    path("people/<int:pk>/tokens/<str:key>/revoke", people.revoke_token, name="person-token-revoke"),
]
