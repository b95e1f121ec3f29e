"""Settings reach a stage word for word, whatever a shell would make of them."""

import re
import subprocess

import pytest
import yaml

EVIL = 'it\'s "my" $(touch x) `touch x`; touch x & *{y}'


def commands(output):
    """Printed commands by stage."""
    return {stage: command for command, stage in re.findall(r"(python -m wsss_stages\.stages\.(\w+) .*)", output)}


def test_settings_are_words_of_a_command(project):
    root = project.folder / EVIL
    root.mkdir()
    weights = (
        project.folder / f"{EVIL.removesuffix('{y}')}.pth"
    )  # Snakemake has braces for wildcards in the names of inputs
    weights.write_bytes(b"")
    changes = {
        "dataset": "toy",
        "dataset_root": str(root),
        "backbone_weights": str(weights),
        "data": {"train_list": EVIL, "weak_labels": str(root)},
    }
    (project.folder / "evil.yaml").write_text(yaml.safe_dump(changes))
    target = "results/toy/s1_classifier/weights.safetensors"
    planned = commands(project.snakemake("-n", "-p", target, "--configfile", "evil.yaml"))
    words = {}
    for stage, command in planned.items():
        shown = re.sub(r" > \S+ 2>&1$", "", command)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f'python() {{ printf "%s\\0" "$@"; }}; {shown}'],
            cwd=project.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        words[stage] = done.stdout.split("\0")
    data, classifier = words["data"], words["s1_classifier"]
    assert data[data.index("--root") + 1] == str(root)
    assert yaml.safe_load(data[data.index("--train-list") + 1]) == EVIL
    assert yaml.safe_load(data[data.index("--weak-labels") + 1]) == str(root)
    assert classifier[classifier.index("--backbone-weights") + 1] == str(weights)
    assert not (project.folder / "x").exists()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"dataset": ".."}, "dataset"),
        ({"dataset": "a\n"}, "dataset"),
        ({"device": "cpu; touch x"}, "device"),
        ({"variants": {"../x": {}}}, "variants"),
        ({"variant": "$(touch x)"}, "variant"),
    ],
)
def test_names_that_are_none_are_refused_by_the_schema(changes, message):
    from jsonschema import Draft202012Validator

    from wsss_stages.config import options

    schema = options.json_schema()
    errors = [
        e for e in Draft202012Validator(schema).iter_errors(changes) if e.validator in ("pattern", "propertyNames")
    ]
    assert [error.absolute_path[0] if error.absolute_path else "" for error in errors] == [message]
