"""The explorer's addresses."""

from django.urls import path

from labeling.explorer import views
from labeling.explorer.bulk import views as bulk
from labeling.explorer.map import views as map
from labeling.explorer.photo import views as photo

_PHOTOS = "p/<slug:slug>/photos"
_PHOTO = f"{_PHOTOS}/<int:item_id>"
_BULK = f"{_PHOTOS}/bulk/<uuid:bulk_id>"
_MAP = "p/<slug:slug>/map"

urlpatterns = [
    path(_PHOTOS, views.photos, name="photos"),
    path(f"{_PHOTOS}/ticked", views.ticked, name="photos-ticked"),
    path(f"{_PHOTOS}/like", views.like, name="photos-like"),
    path(f"{_PHOTOS}/words", views.words, name="photos-words"),
    path(f"{_PHOTOS}/views", views.save, name="photos-save"),
    path(f"{_PHOTOS}/views/<int:view_id>/rename", views.rename, name="photos-rename"),
    path(f"{_PHOTOS}/views/<int:view_id>/forget", views.forget, name="photos-forget"),
    path(f"{_PHOTOS}/bulk", bulk.bulks, name="photos-bulks"),
    path(_BULK, bulk.bulk, name="photos-bulk"),
    path(f"{_BULK}/state", bulk.state, name="photos-bulk-state"),
    path(f"{_BULK}/go-on", bulk.go_on, name="photos-bulk-go-on"),
    path(f"{_BULK}/stop", bulk.stop, name="photos-bulk-stop"),
    path(f"{_BULK}/take-back", bulk.take_back, name="photos-bulk-take-back"),
    path(_MAP, map.map_page, name="map"),
    path(f"{_MAP}/points", map.map_points, name="map-points"),
    path(f"{_MAP}/photo/<int:item_id>", map.map_photo, name="map-photo"),
    path(f"{_MAP}/anew", map.map_anew, name="map-anew"),
    path(_PHOTO, photo.photo, name="photo-page"),
    path(f"{_PHOTO}/similar", photo.similar, name="photo-similar"),
    path(f"{_PHOTO}/mend", photo.mend, name="photo-mend"),
    path(f"{_PHOTO}/gold", photo.gold, name="photo-gold"),
    path(f"{_PHOTO}/metadata", photo.metadata, name="photo-metadata"),
    path(f"{_PHOTO}/exemplar", photo.exemplar, name="photo-exemplar"),
    path(f"{_PHOTO}/original", photo.original, name="photo-original"),
]
