"""Dataclasses that the maths owns, filled with the options of the same names."""

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields

import pytest

from wsss_stages.a2gnn import propagate
from wsss_stages.config import options
from wsss_stages.data.few_shot import episodes
from wsss_stages.dfr import iteration as dfr
from wsss_stages.labels.crf import CrfSettings
from wsss_stages.labels.reliable import Mining
from wsss_stages.rrm import iteration as rrm
from wsss_stages.scl import losses as scl

FILLED = [
    (options.Propagate, propagate.Settings),
    (options.Seeds, Mining),
    (options.Rrm, rrm.Settings),
    (options.Dfr, dfr.Settings),
    (options.Scl, scl.Settings),
    (options.SclEpisodes, episodes.Settings),
    (options.Crf, CrfSettings),
]


@pytest.mark.parametrize("section, settings", FILLED, ids=[settings.__module__ for _, settings in FILLED])
def test_settings_are_the_options_of_the_same_names_and_have_no_defaults_of_their_own(section, settings):
    opt = section()
    made = opt.fill(settings)
    for field in fields(settings):
        assert field.default is MISSING and field.default_factory is MISSING, field.name
        if field.name != "crf":
            assert getattr(made, field.name) == getattr(opt, field.name), field.name
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(settings)[0].name, None)


def test_nested_sections_become_the_settings_that_their_field_wants():
    crf = options.Crf(iterations=3, step=2, bilateral_xy=41.0)
    made = options.Rrm(crf=crf).fill(rrm.Settings)
    assert made.crf == CrfSettings(3, 3.0, 3.0, 41.0, 8.0, 3.0, 2)
    assert made.crf.kernels() == crf.model_dump(exclude={"iterations"})


def test_an_option_that_the_section_lacks_is_named():
    @dataclass(frozen=True)
    class Wrong:
        lamda: float

    with pytest.raises(AttributeError, match=r"Crf.*lamda"):
        options.Crf().fill(Wrong)
