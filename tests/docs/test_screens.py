"""The pictures of the documentation show what the program shows."""

from __future__ import annotations

from tests.docs.make_screens import SCREENS, draw_scenes, hide_moments, open_stage, read_svg_lines, render_svg


def test_pictures_show_what_the_program_shows() -> None:
    with open_stage() as stage:
        drawn = {name: read_svg_lines(render_svg(name, picture)) for name, picture in draw_scenes(stage)}
    assert {path.stem for path in SCREENS.glob("*.svg")} == set(drawn)
    for name, lines in drawn.items():
        kept = read_svg_lines((SCREENS / f"{name}.svg").read_text())
        assert hide_moments(kept) == hide_moments(lines), "draw them with: python -m tests.docs.make_screens"
