"""The explorer's addresses."""

from django.urls import path

from labeling.explorer import views

_PHOTO = "p/<slug:slug>/photos/<int:item_id>"

urlpatterns = [
    path(_PHOTO, views.photo, name="photo-page"),
    path(f"{_PHOTO}/mend", views.mend, name="photo-mend"),
    path(f"{_PHOTO}/gold", views.gold, name="photo-gold"),
    path(f"{_PHOTO}/exemplar", views.exemplar, name="photo-exemplar"),
    path(f"{_PHOTO}/original", views.original, name="photo-original"),
]
