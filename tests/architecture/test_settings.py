"""The example configuration shows every setting with its default."""

from __future__ import annotations

import re

from tests.support.source_tree import ROOT
from todo_cli.settings import keys, settings_file


def test_example_file_is_generated_from_the_settings() -> None:
    text = (ROOT / "config.example.toml").read_text()
    assert text == settings_file.format_example()
    for key in keys.SETTING_KEYS:
        assert re.search(rf"^(# )?{key.name} = ", text, re.MULTILINE), key.name
