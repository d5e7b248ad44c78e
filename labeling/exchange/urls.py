from django.urls import path

from labeling.exchange import views
from labeling.exchange.categories import views as categories
from labeling.exchange.feeds import views as feeds
from labeling.exchange.imports import views as imports

urlpatterns = [
    path("p/<slug:slug>/data-sets", views.data_sets, name="data-sets"),
    path("p/<slug:slug>/feeds", feeds.feeds, name="feeds"),
    path("p/<slug:slug>/feeds/<uuid:feed_id>", feeds.feed, name="feed"),
    path("p/<slug:slug>/imports", imports.imports, name="imports"),
    path("p/<slug:slug>/imports/<uuid:import_id>", imports.one_import, name="import"),
    path("p/<slug:slug>/categories", categories.categories, name="categories"),
    path("p/<slug:slug>/categories/<int:vocabulary_id>", categories.vocabulary, name="vocabulary"),
]
