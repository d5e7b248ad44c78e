"""What a data set is made of, in JSON: enough to make it again, and to see that it came out the same."""

from __future__ import annotations

from typing import Any

from labeling.catalog.selectors import schema_of
from labeling.exchange.choosing import filters_of, photos_found
from labeling.exchange.writing import Written


def manifest_of(written: Written) -> dict[str, Any]:
    """Of a data set that was written to its end."""
    data_set = written.data_set
    return {
        "data_set": str(data_set.pk),
        "project": data_set.project.slug,
        "question": data_set.project.question,
        "classes": {
            row.label_class.key: row.name for row in schema_of(data_set.guideline_id) if row.state == "active"
        },
        "guideline": data_set.guideline.number,
        "ground_truths_up_to": data_set.upto,
        "promise": data_set.promise,
        "filters": filters_of(data_set),
        "photos_found": photos_found(data_set),
        "format": data_set.format,
        "pictures": data_set.pictures,
        "metadata": data_set.metadata,
        "split": {
            "validation_percent": data_set.validation,
            "test_percent": data_set.test,
            "together": data_set.together,
            "value": data_set.value,
            "near_duplicates_together": True,
            "seed": data_set.seed,
        },
        "not_carried": written.format.leaves_out,
        "made_by": data_set.created_by.username,
        "made_at": data_set.created_at.isoformat(),
        **written.summary(),
    }
