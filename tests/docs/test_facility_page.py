"""The page about buildings: its example is a scenario, its models are those there are."""

import re
import tomllib
from pathlib import Path

from simulator.scenario import from_document
from simulator.scenario.facility import PUE_MODELS, WUE_MODELS, FreeCoolingPue, LoadPue

PAGE = Path(__file__).parents[2] / "docs" / "facility.md"


def test_the_example_is_a_scenario() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    scenario = from_document(tomllib.loads(text), check_files=False)
    assert isinstance(scenario.sites["old"].pue, LoadPue)
    assert isinstance(scenario.sites["new"].pue, FreeCoolingPue)
    assert scenario.warnings == ()


def test_every_model_and_every_key_of_it_is_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, kind in (PUE_MODELS | WUE_MODELS).items():
        assert f"`{name}`" in page
        for key in kind.attributes():
            assert key == "model" or f"`{key}`" in page, (name, key)
