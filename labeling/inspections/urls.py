from django.urls import path

from labeling.inspections.capture import views as capture

urlpatterns = [
    path("capture/<str:token>/", capture.capture, name="capture"),
    path("protocols/<slug:protocol>/links/", capture.capture_links, name="capture-links"),
    path("links/<uuid:link_id>", capture.capture_link, name="capture-link"),
]
