"""Command lines: help that teaches, options that round-trip, errors in one paragraph."""

import importlib
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.messages import lacking, raises
from wsss_stages.config import options
from wsss_stages.stages import cli

STAGES = {
    "data": options.Data,
    "simulate_weak": options.SimulateWeak,
    "s1_classifier": options.Classifier,
    "s2_cam": options.Cam,
    "s3_masks": options.Masks,
    "s3_seeds": options.Seeds,
    "rrm_train": options.Rrm,
    "rrm_label": options.RrmLabel,
    "s4_object_net": options.ObjectNet,
    "s4_affinity": options.Affinity,
    "s5_object_masks": options.ObjectMasks,
    "s5_walk": options.Graph,
    "s5_graph": options.Graph,
    "s6_propagate": options.Propagate,
    "s6_agreement": options.Propagate,
    "s7_segment": options.Segment,
    "s8_predict": options.Predict,
    "s9_evaluate": options.Evaluate,
}


@pytest.mark.parametrize("stage", STAGES)
def test_help_shows_every_option_with_its_default(stage, capsys):
    with pytest.raises(SystemExit) as caught:
        importlib.import_module(f"wsss_stages.stages.{stage}").main(["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "reads" in text and "writes" in text
    for name in STAGES[stage].model_fields:
        assert f"--{name.replace('_', '-')}" in text


@pytest.mark.parametrize(
    "stage, flag, words",
    [
        ("s3_seeds", "--fusion {agreement,literal_eq_3_5}", []),
        ("s3_seeds", "--keep FLOAT", [options.Seeds.model_fields["keep"].description, "(above 0 ... 1 ... default 0.4)"]),
        ("s3_seeds", "--crf.step INT", ["1 ... 8 ... default 1"]),
        ("s3_seeds", "--cam-in-boxes {true,false}", []),
        ("s7_segment", "--stride {8,16}", []),
        ("s7_segment", "--backbone TEXT", []),
        ("s2_cam", "--scales LIST", [options.Cam.model_fields["scales"].description, "list of numbers ... empty ... [0.5, 1.0, 1.5, 2.0]"]),
        ("simulate_weak", "--kinds LIST", ["{box,scribble,point,tag} ... empty ... default"]),
        ("s5_graph", "--seeds {seeds,seeds_full,grabcut,checked,expanded,cam}", []),
    ],
)  # fmt: skip
def test_help_shows_legal_values(stage, flag, words, capsys):
    with pytest.raises(SystemExit):
        importlib.import_module(f"wsss_stages.stages.{stage}").main(["--help"])
    _, shown, after = " ".join(capsys.readouterr().out.split("options (")[-1].split()).partition(f"{flag} ")
    assert shown and not lacking(after.partition(" --")[0], *words)


def test_a_name_may_look_like_a_number():
    _, found = cli.parse("doc", options.Data, ["--train-list", "2012"], {})
    assert found.train_list == "2012"


@pytest.mark.parametrize("section", STAGES.values())
def test_flags_of_a_config_bring_back_the_same_options(section):
    default = section()
    _, found = cli.parse("doc", section, shlex.split(cli.flags(default.model_dump())), {})
    assert found == default


def test_nested_options_keep_the_rest():
    _, found = cli.parse("doc", options.Seeds, ["--crf.iterations", "3"], {})
    assert (found.crf.iterations, found.crf.bilateral_xy) == (3, 80)


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--keep", "1.5"], ["--keep: ", "1.5 ... number ... 0 ... 1"]),
        (["--fusion", "maybe"], ["--fusion: ", "'maybe' ... agreement, literal_eq_3_5"]),
        (["--crf.gaussian-xy", "0"], ["--crf.gaussian-xy: ", "0 ... number ... 0"]),
        (["--kep", "1"], ["unrecognized arguments: --kep"]),
    ],
)
def test_bad_options_are_named_with_what_was_found(argv, words, capsys):
    with pytest.raises(SystemExit):
        cli.parse("doc", options.Seeds, argv, {})
    assert not lacking(capsys.readouterr().err.partition("error: ")[2], *words)


def test_what_a_user_can_mend_is_one_paragraph():
    def fails():
        error = ValueError("cam.h5 is missing")
        error.add_note("Is the disk full?")
        raise error

    with pytest.raises(SystemExit, match=r"error: cam\.h5 is missing\nIs the disk full\?"):
        cli.run(fails)


def test_a_machine_that_does_not_fit_is_reported_and_other_errors_are_not_hidden():
    def fails(text):
        raise RuntimeError(text)

    with raises(SystemExit, "error: ", "torchvision::nms", "pip install --force-reinstall torch"):
        cli.run(lambda: fails("operator torchvision::nms does not exist"))
    with raises(SystemExit, "error: ", str(Path.home()), "XDG_CACHE_HOME"):
        cli.run(lambda: fails("cannot cache function 'f': no locator available for file 'f.py'"))
    with pytest.raises(RuntimeError, match="shapes"):
        cli.run(lambda: fails("shapes"))


def test_a_network_that_needs_no_torchvision_does_not_wait_for_it():
    code = "import sys, wsss_stages.training.networks, wsss_stages.stages.devices as d; d.pick('cpu'); sys.exit('torchvision' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
