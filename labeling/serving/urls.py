from django.urls import path

from labeling.serving import views

urlpatterns = [path("p/<slug:slug>/models/shadow", views.shadow, name="models-shadow")]
