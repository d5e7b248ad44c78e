from django.contrib.auth.views import LogoutView
from django.urls import path

from labeling.people import views

urlpatterns = [
    path("login", views.SignIn.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("me/toured", views.tour_seen, name="tour-seen"),
]
