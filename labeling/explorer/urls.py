"""The explorer's addresses."""

from django.urls import path

from labeling.explorer import search_views, views

_PHOTOS = "p/<slug:slug>/photos"
_PHOTO = f"{_PHOTOS}/<int:item_id>"

urlpatterns = [
    path(_PHOTOS, search_views.photos, name="photos"),
    path(f"{_PHOTOS}/ticked", search_views.ticked, name="photos-ticked"),
    path(f"{_PHOTOS}/views", search_views.save, name="photos-save"),
    path(f"{_PHOTOS}/views/<int:view_id>/forget", search_views.forget, name="photos-forget"),
    path(_PHOTO, views.photo, name="photo-page"),
    path(f"{_PHOTO}/mend", views.mend, name="photo-mend"),
    path(f"{_PHOTO}/gold", views.gold, name="photo-gold"),
    path(f"{_PHOTO}/metadata", views.metadata, name="photo-metadata"),
    path(f"{_PHOTO}/exemplar", views.exemplar, name="photo-exemplar"),
    path(f"{_PHOTO}/original", views.original, name="photo-original"),
]
