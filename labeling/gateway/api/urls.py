from django.urls import path

from labeling.gateway.api import (
    accounts,
    guidelines,
    intake,
    jobs,
    labeling,
    learning,
    members,
    monitoring,
    projects,
    review,
    truth,
)

_PROJECT = "projects/<slug:slug>"

urlpatterns = [
    path("login", accounts.LoginView.as_view(), name="api-login"),
    path("logout", accounts.LogoutView.as_view(), name="api-logout"),
    path("me", accounts.MeView.as_view(), name="api-me"),
    path("projects", projects.ProjectsView.as_view(), name="api-projects"),
    path(_PROJECT, projects.ProjectView.as_view(), name="api-project"),
    path(f"{_PROJECT}/guideline", guidelines.GuidelineView.as_view(), name="api-guideline"),
    path(f"{_PROJECT}/guidelines", guidelines.GuidelinesView.as_view(), name="api-guidelines"),
    path(f"{_PROJECT}/members", members.MembersView.as_view(), name="api-members"),
    path(f"{_PROJECT}/members/<str:username>", members.MemberView.as_view(), name="api-member"),
    path(f"{_PROJECT}/items", intake.ItemsView.as_view(), name="api-items"),
    path(
        f"{_PROJECT}/items/<str:sha256>/review", review.RequestReviewView.as_view(), name="api-request-review"
    ),
    path(f"{_PROJECT}/photos/<str:sha256>/<str:variant>.webp", intake.PhotoView.as_view(), name="api-photo"),
    path(f"{_PROJECT}/intake", intake.IntakesView.as_view(), name="api-intakes"),
    path(f"{_PROJECT}/intake/<uuid:batch_id>", intake.IntakeView.as_view(), name="api-intake"),
    path(
        f"{_PROJECT}/intake/<uuid:batch_id>/files", intake.IntakeFilesView.as_view(), name="api-intake-files"
    ),
    path(f"{_PROJECT}/claims", labeling.ClaimsView.as_view(), name="api-claims"),
    path(f"{_PROJECT}/leases/<uuid:lease>/skip", labeling.SkipView.as_view(), name="api-skip"),
    path(f"{_PROJECT}/leases/<uuid:lease>/release", labeling.ReleaseView.as_view(), name="api-release"),
    path(f"{_PROJECT}/annotations", truth.AnnotationsView.as_view(), name="api-annotations"),
    path(f"{_PROJECT}/annotations/<uuid:key>/undo", labeling.UndoView.as_view(), name="api-undo"),
    path(f"{_PROJECT}/disputes", review.DisputesView.as_view(), name="api-disputes"),
    path(f"{_PROJECT}/disputes/<uuid:dispute_id>", review.DisputeView.as_view(), name="api-dispute"),
    path(f"{_PROJECT}/disputes/<uuid:dispute_id>/ruling", review.RulingView.as_view(), name="api-ruling"),
    path(f"{_PROJECT}/ground-truths", truth.GroundTruthsView.as_view(), name="api-ground-truths"),
    path(f"{_PROJECT}/export/<str:what>.<str:ending>", truth.ExportView.as_view(), name="api-export"),
    path(f"{_PROJECT}/gold", truth.GoldsView.as_view(), name="api-golds"),
    path(f"{_PROJECT}/gold/<str:sha256>", truth.GoldView.as_view(), name="api-gold"),
    path(f"{_PROJECT}/train", learning.TrainView.as_view(), name="api-train"),
    path(f"{_PROJECT}/models", learning.ModelsView.as_view(), name="api-models"),
    path(f"{_PROJECT}/models/<int:number>", learning.ModelView.as_view(), name="api-model"),
    path(f"{_PROJECT}/models/<int:number>/promote", learning.PromoteView.as_view(), name="api-promote"),
    path(f"{_PROJECT}/scores", learning.ScoresView.as_view(), name="api-scores"),
    path(f"{_PROJECT}/jobs", jobs.JobsView.as_view(), name="api-jobs"),
    path(f"{_PROJECT}/jobs/<uuid:job_id>", jobs.JobView.as_view(), name="api-job"),
    path(f"{_PROJECT}/jobs/<uuid:job_id>/cancel", jobs.CancelView.as_view(), name="api-cancel"),
    path(f"{_PROJECT}/rank", monitoring.RankView.as_view(), name="api-rank"),
    path(f"{_PROJECT}/bands/open", monitoring.OpenBandView.as_view(), name="api-open-band"),
    path(f"{_PROJECT}/progress", monitoring.ProgressView.as_view(), name="api-progress"),
    path(f"{_PROJECT}/labelers", monitoring.LabelersView.as_view(), name="api-labelers"),
    path(f"{_PROJECT}/labelers/<str:username>/resume", monitoring.ResumeView.as_view(), name="api-resume"),
]
