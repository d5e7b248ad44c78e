from django.urls import path

from labeling.erasure import person_views, views

urlpatterns = [
    path("p/<slug:slug>/erasures", views.erasures, name="erasures"),
    path("p/<slug:slug>/erasures/<uuid:erasure_id>", views.erasure, name="erasure"),
    path("p/<slug:slug>/erasures/<uuid:erasure_id>/undo", views.undo, name="erasure-undo"),
    path("p/<slug:slug>/erasures/lift", views.lift, name="erasure-lift"),
    path("p/<slug:slug>/erased/<int:item_id>", views.record, name="erased-photo"),
    path("people/<int:pk>/erase", person_views.person_erase, name="person-erase"),
    path("people/<int:pk>/erase/undo", person_views.person_unerase, name="person-unerase"),
]
