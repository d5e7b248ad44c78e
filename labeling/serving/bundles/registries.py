"""What the registries of Hugging Face and MLflow read of a bundle: a model card, and the files that load it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from typing import Any

#: What ``predict.py`` needs, by the name that pip knows.
NEEDS = ("numpy", "onnxruntime", "pillow")


def files(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name -> text."""
    needs = [f"{name}=={manifest['libraries'][name]}" for name in NEEDS]
    python = platform.python_version()
    return {
        "README.md": card(manifest),
        "requirements.txt": "\n".join(needs) + "\n",
        # JSON is YAML, which is what MLflow reads.
        "MLmodel": _json(
            {
                "flavors": {
                    "python_function": {
                        "loader_module": "predict",
                        "code": ".",
                        "data": ".",
                        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                        "python_version": python,
                    }
                },
                "model_uuid": manifest["networks"][0]["content_hash"][:32],
                "utc_time_created": manifest["made_at"],
            }
        ),
        "conda.yaml": _json(
            {
                "name": "hilltop",
                "channels": ["conda-forge"],
                "dependencies": [f"python={python}", "pip", {"pip": needs}],
            }
        ),
        "python_env.yaml": _json({"python": python, "dependencies": ["-r requirements.txt"]}),
    }


def card(manifest: Mapping[str, Any]) -> str:
    """The model card, with the metadata that Hugging Face's hub reads at its head."""
    front = {
        "library_name": "onnx",
        "pipeline_tag": "image-classification",
        "tags": ["hilltop", "onnx", "image-classification"],
        "license": "other",
        "license_name": "see-the-weights-below",
    }
    networks = manifest["networks"]
    lines = [
        "---",
        *(f"{name}: {json.dumps(value)}" for name, value in front.items()),
        "---",
        f"# {manifest['name']}, version {manifest['version']}",
        "",
        manifest["question"],
        "",
        "## Use",
        "",
        "```",
        "pip install -r requirements.txt",
        "python predict.py PHOTO ...",
        "```",
        "",
        "Each line of JSON holds the probabilities of one photo's classes.",
        "",
        "## Classes",
        "",
        *(
            f"- `{each['key']}`: {each['name']}. {_one_line(each['criteria'])}".rstrip()
            for each in manifest["classes"]
        ),
        "",
        "## How it did",
        "",
        *_figures(manifest["metrics"]),
        "",
        "## Where it was proven",
        "",
        *(_certificates(manifest["certificates"]) or ["Nothing is certified."]),
        "",
        "## Weights and their licences",
        "",
        *(f"- `{each['file']}`: {each['name']}. {each['licence']}" for each in networks),
        "",
        "## What a bundle does not carry",
        "",
        *(f"- {each}" for each in manifest["not_carried"]),
    ]
    return "\n".join(lines) + "\n"


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    said = {
        "cross_validated": "ground truths, cross-validated",
        "audit": "of them drawn at random, cross-validated",
    }
    found = [
        "- Accuracy {value:.3f}, 95 % interval {low:.3f} to {high:.3f}".format(**figures["accuracy"])
        + f", on {figures['n']} {said[name]}"
        for name, figures in metrics.items()
        if figures.get("accuracy")
    ]
    return found or ["Nothing was measured when it was made."]


def _certificates(certificates: list[Mapping[str, Any]]) -> list[str]:
    return [
        f"- Predicted `{each['predicted']}` with a margin of at least {each['lowest_margin']:.4f}: precision of at least "
        f"{each['precision']:.3f}, by {each['labels']} random labels, {each['errors']} errors (δ = {each['delta']:.3f})"
        for each in certificates
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
