"""The explorer's addresses."""

from django.urls import path

from labeling.explorer import bulk_views, map_views, search_views, views

_PHOTOS = "p/<slug:slug>/photos"
_PHOTO = f"{_PHOTOS}/<int:item_id>"
_BULK = f"{_PHOTOS}/bulk/<uuid:bulk_id>"
_MAP = "p/<slug:slug>/map"

urlpatterns = [
    path(_PHOTOS, search_views.photos, name="photos"),
    path(f"{_PHOTOS}/ticked", search_views.ticked, name="photos-ticked"),
    path(f"{_PHOTOS}/like", search_views.like, name="photos-like"),
    path(f"{_PHOTOS}/words", search_views.words, name="photos-words"),
    path(f"{_PHOTOS}/views", search_views.save, name="photos-save"),
    path(f"{_PHOTOS}/views/<int:view_id>/rename", search_views.rename, name="photos-rename"),
    path(f"{_PHOTOS}/views/<int:view_id>/forget", search_views.forget, name="photos-forget"),
    path(f"{_PHOTOS}/bulk", bulk_views.bulks, name="photos-bulks"),
    path(_BULK, bulk_views.bulk, name="photos-bulk"),
    path(f"{_BULK}/state", bulk_views.state, name="photos-bulk-state"),
    path(f"{_BULK}/go-on", bulk_views.go_on, name="photos-bulk-go-on"),
    path(f"{_BULK}/stop", bulk_views.stop, name="photos-bulk-stop"),
    path(f"{_BULK}/take-back", bulk_views.take_back, name="photos-bulk-take-back"),
    path(_MAP, map_views.map_page, name="map"),
    path(f"{_MAP}/points", map_views.map_points, name="map-points"),
    path(f"{_MAP}/photo/<int:item_id>", map_views.map_photo, name="map-photo"),
    path(f"{_MAP}/anew", map_views.map_anew, name="map-anew"),
    path(_PHOTO, views.photo, name="photo-page"),
    path(f"{_PHOTO}/similar", views.similar, name="photo-similar"),
    path(f"{_PHOTO}/mend", views.mend, name="photo-mend"),
    path(f"{_PHOTO}/gold", views.gold, name="photo-gold"),
    path(f"{_PHOTO}/metadata", views.metadata, name="photo-metadata"),
    path(f"{_PHOTO}/exemplar", views.exemplar, name="photo-exemplar"),
    path(f"{_PHOTO}/original", views.original, name="photo-original"),
]
