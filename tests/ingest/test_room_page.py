"""The room's page says what there is: every setting of a mapping, and its examples work."""

import re

import tomlkit

from ingest.corrections import GAME_FIELDS, HEADER, SIDE_FIELDS
from store.columns import AppearanceColumns, Columns
from store.home import CHECKOUT
from store.stanzas import Stanza

PAGE = (CHECKOUT / "ingest" / "README.md").read_text(encoding="utf-8")


def test_every_setting_of_a_mapping_is_explained():
    named = set(re.findall(r"`(\w+)`", PAGE)) | {"appearances"}
    assert set(Columns.model_fields) <= named
    example = PAGE.partition("[my_league.columns.appearances]")[2].partition("```")[0]
    assert all(name in example for name in AppearanceColumns.model_fields)


def test_the_examples_are_a_stanza():
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    text = "\n".join(blocks).replace('home = "Home team"', 'home = "Home team"\ngame = ["Match"]')
    stanza = Stanza.model_validate(tomlkit.parse(text).unwrap()["my_league"])
    assert stanza.columns and stanza.columns.appearances


def test_every_field_that_can_be_corrected_is_named():
    assert ",".join(HEADER) in PAGE
    assert all(f"`{field}`" in PAGE for field in [*GAME_FIELDS, *SIDE_FIELDS, "drop"])
