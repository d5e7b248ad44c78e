"""Which backbones an admin may choose, and what choosing one does."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from pytest_django import Settings

from inference.backbones import names
from inference.photo import DEFAULT_LEVELS, LEVELS
from labeling.catalog import backbones
from labeling.catalog.forms.projects import SettingsForm
from labeling.catalog.models import Levels, Project
from labeling.catalog.services import update_settings
from labeling.jobs.models import Job
from labeling.refusals import Refused
from tests.factories import TINY, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def weights(settings: Settings, tmp_path: Path) -> Path:
    settings.WEIGHTS_DIR = tmp_path
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "resnet50-0676ba61.pth").touch()
    (tmp_path / "timm").mkdir()
    (tmp_path / "timm" / "vit_small_patch14_dinov2.lvd142m.safetensors").touch()
    (tmp_path / "timm" / "README.md").touch()
    return tmp_path


def test_without_a_folder_of_weights_the_packaged_ones_are_offered(settings: Settings) -> None:
    settings.WEIGHTS_DIR = None
    assert backbones.at_hand() == ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", TINY]


def test_weights_files_in_the_folder_are_offered_by_name(weights: Path) -> None:
    assert backbones.at_hand()[4:] == ["timm:vit_small_patch14_dinov2.lvd142m", "torchvision:resnet50"]
    assert "torchvision:resnet50+tiles2" in backbones.choices()


def test_the_library_understands_every_name_that_is_offered(weights: Path) -> None:
    for name in backbones.choices():
        assert str(names.parse(name)) == name
    for suffix in backbones.SUFFIXES:
        assert names.parse(f"efficientnet_lite0+{suffix}")
    assert (backbones.SIZES, backbones.BLOCK) == (names.SIZES, names.BLOCK)


@pytest.mark.parametrize(
    ("file", "offered"),
    [
        ("vit_small_patch14_dinov2", "vit_small_patch14_dinov2@224+block7+block10"),
        ("vit_large_patch14_dinov2", "vit_large_patch14_dinov2@224+block14+block20"),
        ("vit_base_patch16_siglip_224", "vit_base_patch16_siglip_224@224+block7+block10"),
        ("vit_small_patch16_dinov3", "vit_small_patch16_dinov3@224+block7+block10"),
        ("vit_so150m_patch16_reg4_map_256", "vit_so150m_patch16_reg4_map_256"),
        ("resnet50", "resnet50"),
    ],
)
def test_transformers_are_offered_with_a_size_and_two_middle_blocks(
    weights: Path, file: str, offered: str
) -> None:
    (weights / "timm" / f"{file}-ours.safetensors").touch()
    assert f"timm:{offered}" in backbones.choices() and backbones.is_choice(f"timm:{offered}+tiles2")
    # What is offered has to be there: the blocks, and patches that cover the square.
    name = names.parse(f"timm:{offered}")
    sized = {"img_size": name.size} if name.size else {}
    with torch.device("meta"):
        network = timm.create_model(file, num_classes=0, **sized)
    assert not name.blocks or (
        name.blocks[-1] <= len(network.blocks) and name.size % network.patch_embed.patch_size[0] == 0
    )


@pytest.mark.parametrize(
    ("suffixes", "may_be"),
    [
        ("@224+block7+block10", True),
        ("@280+block12+tiles2", True),
        ("", True),
        ("+block3+cls", True),
        ("@224", True),
        ("@225", False),
        ("@0", False),
        ("@16384", False),
        ("@", False),
        ("@224@224", False),
        ("+block0", False),
        ("+block", False),
        ("+block100", False),
    ],
)
def test_any_size_and_blocks_of_a_transformer_at_hand_may_be_chosen(
    weights: Path, suffixes: str, may_be: bool
) -> None:
    assert backbones.is_choice(f"timm:vit_small_patch14_dinov2.lvd142m{suffixes}") is may_be


@pytest.mark.parametrize(
    "name", ["efficientnet_lite0@224", "torchvision:resnet50@224", "torchvision:resnet50+block3"]
)
def test_other_networks_have_no_size_and_no_blocks(weights: Path, name: str) -> None:
    assert not backbones.is_choice(name)


@pytest.mark.parametrize(
    "name", ["efficientnet_lite9", "torchvision:resnet18", "efficientnet_lite0+more", ""]
)
def test_what_is_not_at_hand_is_refused(weights: Path, name: str) -> None:
    project = make_project()
    with pytest.raises(Refused) as refused:
        update_settings(project=project, by=project.created_by, backbone=name)
    assert set(refused.value.fields) == {"backbone"}


def test_another_backbone_embeds_the_photos_anew(weights: Path) -> None:
    project = make_project()
    update_settings(project=project, by=project.created_by, retrain_every=30)
    assert not Job.objects.of_project(project.pk).filter(kind="embed").exists()
    update_settings(project=project, by=project.created_by, backbone="torchvision:resnet50+last+tiles2")
    project.refresh_from_db()
    assert project.backbone == "torchvision:resnet50+last+tiles2"
    assert Job.objects.of_project(project.pk).filter(kind="embed").count() == 1


def test_the_settings_form_keeps_a_backbone_whose_weights_are_gone(settings: Settings) -> None:
    settings.WEIGHTS_DIR = None
    project = make_project(backbone="timm:gone")
    assert "timm:gone" in dict(SettingsForm(project=project).fields["backbone"].choices)  # type: ignore[attr-defined]


def test_how_more_than_8_bits_are_shown_is_a_setting_and_embeds_the_photos_anew() -> None:
    project = make_project(backbone="efficientnet_lite0")
    assert (project.levels, project.backbone_name) == ("bits", "efficientnet_lite0")
    project = update_settings(project=project, by=project.created_by, levels="12")
    assert project.backbone_name == "efficientnet_lite0+levels-12"
    assert Job.objects.of_project(project.pk).filter(kind="embed").count() == 1
    with pytest.raises(Refused) as refused:
        update_settings(project=project, by=project.created_by, levels="11")
    assert set(refused.value.fields) == {"levels"}


def test_the_project_offers_the_levels_that_the_decoder_knows() -> None:
    assert tuple(Levels.values) == LEVELS and Levels.BITS == DEFAULT_LEVELS
    for each in Levels.values:
        name = Project(backbone="efficientnet_lite1+tiles2", levels=each).backbone_name
        assert str(names.parse(name)) == name and names.parse(name).levels == each
