"""The look holds its own rules: contrast, sizes, spaces, vendored files, no inline style or script.

R-A11Y (contrast), R-SAFE (strict Content-Security-Policy).
"""

import hashlib
import re
from itertools import product
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"
CSS = re.sub(r"/\*.*?\*/", "", (STATIC / "css/kartramail.css").read_text("utf-8"), flags=re.S)
SCHEMES = ("light", "dark")
MAIL = ("mail", "notification_mail")
TOKENS = {
    name: dict(zip(SCHEMES, values, strict=True))
    for name, *values in re.findall(r"--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS)
}

GROUNDS = ("paper", "sheet")
TEXT_ON_GROUND = [
    *product(("ink", "quiet", "accent", "accent-strong", "ok", "warning", "error"), GROUNDS),
    *product(("ink", "quiet"), ("sunk", "ok-soft", "warning-soft", "error-soft")),
    *[(state, f"{state}-soft") for state in ("ok", "warning", "error")],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("accent-strong", "accent-soft"),
    ("accent-strong", "sunk"),
    ("accent", "accent-soft"),
]
# Borders of fields and the focus ring must be told from their ground: WCAG 2.2, 1.4.11.
LINE_ON_GROUND = list(product(("edge", "accent", "error", "ok", "warning"), GROUNDS))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def declarations(*properties: str) -> list[tuple[str, str]]:
    names = "|".join(properties)
    return re.findall(rf"(?<![\w-])({names}):\s*([^;}}]+)[;}}]", CSS)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_is_readable_on_its_ground(text: str, ground: str, scheme: str) -> None:
    assert contrast(TOKENS[text][scheme], TOKENS[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("line", "ground"), LINE_ON_GROUND)
def test_borders_and_focus_are_seen_on_their_ground(line: str, ground: str, scheme: str) -> None:
    assert contrast(TOKENS[line][scheme], TOKENS[ground][scheme]) >= 3


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_type_has_five_sizes() -> None:
    sizes = {int(name): float(rem) for name, rem in re.findall(r"--text-(\d+): ([\d.]+)rem;", CSS)}

    assert {name: rem * 16 for name, rem in sizes.items()} == {n: n for n in (13, 15, 18, 22, 28)}
    for prop, value in declarations("font-size"):
        assert re.fullmatch(r"var\(--text-\d\d\)", value), f"{prop}: {value}"
    assert not declarations("font"), "the shorthand would hide a size"


def test_space_has_seven_steps() -> None:
    steps = {int(name): int(px) for name, px in re.findall(r"--space-(\d+): (\d+)px;", CSS)}

    assert steps == {n: n for n in (4, 8, 12, 16, 24, 40, 64)}
    for prop, value in declarations(
        r"(?:margin|padding)(?:-[a-z-]+)?", r"gap", r"column-gap", r"row-gap"
    ):
        if value.startswith("calc("):
            assert "var(--space-" in value, f"{prop}: {value}"
            continue
        for part in re.sub(r"env\([^)]*\)", "0", value).split():
            # -1px takes what is only for screen readers out of sight.
            assert re.fullmatch(r"0|auto|-1px|var\(--space-\d+\)", part), f"{prop}: {value}"


def test_nothing_is_sized_by_the_viewport_but_its_height() -> None:
    assert not re.search(r"\d(?:vw|vmin|vmax)\b", CSS)


def test_colours_are_named_once() -> None:
    colours = re.findall(r"#[0-9a-fA-F]{3,8}\b", CSS)

    assert len(colours) == 2 * len(TOKENS)


@pytest.mark.parametrize("folder", sorted(p.name for p in (STATIC / "vendor").iterdir()))
def test_vendored_files_are_what_was_pinned(folder: str) -> None:
    place = STATIC / "vendor" / folder
    listed = dict(
        reversed(line.split("  ", 1)) for line in (place / "CHECKSUMS").read_text().splitlines()
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.iterdir()
        if path.name != "CHECKSUMS"
    }

    assert found == listed
    assert any(name.startswith("LICENSE") for name in found)
    assert re.fullmatch(r"[a-z]+-\d+\.\d+\.\d+", folder)


def page_templates() -> list[Path]:
    """All but our own mails, where styles must stand in the elements."""
    return [
        path
        for path in sorted(TEMPLATES.rglob("*.html"))
        if path.relative_to(TEMPLATES).parts[0] not in MAIL and path.name != "mail.html"
    ]


@pytest.mark.parametrize("path", page_templates(), ids=lambda p: str(p.relative_to(TEMPLATES)))
def test_templates_hold_no_inline_style_or_script(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.S)

    assert not re.search(r"""\sstyle\s*=|<style|javascript:|\son[a-z]+\s*=\s*["']|hx-on""", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)


def test_every_icon_that_is_asked_for_exists() -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.globals["csrf_token"] = lambda: ""
    module = {
        name: environment.get_template(f"_macros/{name}.html").module
        for name in ("icons", "ui", "frame")
    }
    sources = [path.read_text("utf-8") for path in page_templates()]
    asked = {name for text in sources for name in re.findall(r"\bicon\(\"([\w-]+)\"", text)}
    asked |= {name for text in sources for name in re.findall(r"icon_name=\"([\w-]+)\"", text)}
    asked |= {shape for _, shape, _ in module["ui"].BADGES.values()}
    asked |= {item["icon"] for _, items in module["frame"].NAVIGATION for item in items}

    assert asked <= set(module["icons"].SHAPES)


def test_the_phone_has_five_main_places() -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    navigation = environment.get_template("_macros/frame.html").module.NAVIGATION

    assert sum(bool(item.get("phone")) for _, items in navigation for item in items) == 5
