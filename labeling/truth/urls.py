from django.urls import path

from labeling.truth import review_views, views
from labeling.truth.own_answers_page import mine

urlpatterns = [
    path("p/<slug:slug>/review", review_views.review, name="review"),
    path("p/<slug:slug>/review/several", review_views.several, name="review-several"),
    path("p/<slug:slug>/review/undo", review_views.undo, name="review-undo"),
    path("p/<slug:slug>/review/<uuid:dispute_id>", review_views.review_dispute, name="review-dispute"),
    path("p/<slug:slug>/review/<uuid:dispute_id>/ruling", review_views.ruling, name="review-ruling"),
    path("p/<slug:slug>/review/<uuid:dispute_id>/criteria", review_views.amend, name="review-amend"),
    path("p/<slug:slug>/review/<uuid:dispute_id>/again", review_views.dispute_again, name="review-again"),
    path("p/<slug:slug>/review/paused/back", review_views.paused_back, name="review-paused-back"),
    path("p/<slug:slug>/mine", mine, name="mine"),
    path("p/<slug:slug>/labelers", views.labelers, name="labelers"),
    path("p/<slug:slug>/labelers/estimates", views.request_estimates, name="labelers-estimates"),
    path("p/<slug:slug>/labelers/<str:username>/resume", views.resume, name="labelers-resume"),
    path("p/<slug:slug>/gold", views.gold_add, name="gold-add"),
    path("p/<slug:slug>/gold/<int:gold_id>/retire", views.gold_retire, name="gold-retire"),
]
