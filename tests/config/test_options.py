"""Options: one home; the schema, the presets and the overlays in workflow/runs follow it."""

from pathlib import Path

import pytest
import yaml
from jsonschema import validate

from tests.messages import raises
from wsss_stages.config import options

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_schema_file_is_generated_from_options():
    found = yaml.safe_load(options.SCHEMA_FILE.read_text())
    assert found == options.json_schema(), "run: python -m wsss_stages.config.options --write-schema"


@pytest.mark.parametrize("overlay", sorted((ROOT / "workflow" / "runs").glob("*.yaml")), ids=lambda p: p.stem)
def test_overlays_and_presets_are_valid(overlay):
    content = yaml.safe_load(overlay.read_text())
    validate(CONFIG | content, options.json_schema())
    for name, section in options.SECTIONS.items():
        section(**(section().model_dump() | content.get(name, {})))


@pytest.mark.parametrize("variant", CONFIG["variants"])
def test_variants_set_what_exists(variant):
    for name, values in CONFIG["variants"][variant].items():
        if name in options.SECTIONS:
            known = options.SECTIONS[name]().model_dump()
            nested = {k: known[k] | v if isinstance(v, dict) else v for k, v in values.items()}
            options.SECTIONS[name](**(known | nested))


def test_every_option_has_a_description():
    for section in options.SECTIONS.values():
        assert section.__doc__
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"


def test_every_part_of_a_dfr_batch_holds_an_image():
    assert options.Dfr(batch_size=4, accumulate=4).accumulate == 4
    with raises(ValueError, "batch_size 4", "accumulate 5"):
        options.Dfr(batch_size=4, accumulate=5)


@pytest.mark.parametrize(
    "make", [options.Dfr, options.ObjectNet, lambda crop: options.Segment(head="tree_fcn", crop=crop)]
)
def test_crops_of_networks_at_stride_32_make_a_map_of_several_nodes(make):
    assert make(crop=64).crop == 64
    with pytest.raises(ValueError, match=r"63.*64|64.*63"):
        make(crop=63)
