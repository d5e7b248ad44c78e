from django.urls import path

from labeling.exchange import views

urlpatterns = [path("p/<slug:slug>/data-sets", views.data_sets, name="data-sets")]
