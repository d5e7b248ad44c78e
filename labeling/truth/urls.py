from django.urls import path

from labeling.truth import views
from labeling.truth.own_answers_page import mine

urlpatterns = [
    path("p/<slug:slug>/review", views.review, name="review"),
    path("p/<slug:slug>/review/<uuid:dispute_id>", views.review_dispute, name="review-dispute"),
    path("p/<slug:slug>/review/<uuid:dispute_id>/ruling", views.ruling, name="review-ruling"),
    path("p/<slug:slug>/review/<uuid:dispute_id>/criteria", views.amend, name="review-amend"),
    path("p/<slug:slug>/review/<uuid:dispute_id>/again", views.dispute_again, name="review-again"),
    path("p/<slug:slug>/review/paused/back", views.paused_back, name="review-paused-back"),
    path("p/<slug:slug>/labelers", views.labelers, name="labelers"),
    path("p/<slug:slug>/labelers/estimates", views.request_estimates, name="labelers-estimates"),
    path("p/<slug:slug>/labelers/<str:username>/resume", views.resume, name="labelers-resume"),
    path("p/<slug:slug>/gold", views.gold_add, name="gold-add"),
    path("p/<slug:slug>/gold/<int:gold_id>/retire", views.gold_retire, name="gold-retire"),
    path("p/<slug:slug>/mine", mine, name="mine"),
]
