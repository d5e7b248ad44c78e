from django.urls import path

from labeling.queue import views
from labeling.queue.sheets import views as sheets

urlpatterns = [
    path("p/<slug:slug>/label", views.label, name="label"),
    path("p/<slug:slug>/label/criteria/<str:key>", views.criteria, name="label-criteria"),
    path("p/<slug:slug>/sweep", views.sweep, name="sweep"),
    path("sheets/", sheets.sheets, name="sheets"),
    path("sheets/new/", sheets.new, name="sheet-new"),
    path("sheets/<slug:sheet>/", sheets.edit, name="sheet-edit"),
    path("sheets/<slug:sheet>/remove", sheets.remove, name="sheet-remove"),
    path("sheet/<slug:sheet>/", sheets.answer, name="sheet"),
]
