"""CSS goes into the elements, and nothing is loaded for it (R-VARS)."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kartramail.adapters.mail_html import inline_styles, mail_of_html, sanitise_html, text_of_html
from kartramail.errors import TemplateError


def body(source: str) -> str:
    page = inline_styles(source)
    return page[page.index("<body") :].removesuffix("\n</html>\n")


def head(source: str) -> str:
    return inline_styles(source).partition("<body")[0]


def test_it_makes_a_whole_document() -> None:
    assert inline_styles("<p>Hi</p>") == (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n</head>\n'
        "<body><p>Hi</p></body>\n</html>\n"
    )


def test_the_language_of_the_source_is_told() -> None:
    assert '<html lang="de-CH">' in inline_styles('<html lang="de-CH"><body>Hoi</body></html>')
    assert '<html lang="en">' in inline_styles('<html lang="x y"><body>Hoi</body></html>')


def test_rules_go_into_the_elements_and_an_own_style_wins() -> None:
    source = "<style>p.a{color:red;margin:0}</style><p class=a style='color:blue'>x</p><p>y</p>"
    assert body(source) == '<body><p class="a" style="margin: 0;color: blue">x</p><p>y</p></body>'


def test_rules_of_the_body_go_to_the_body() -> None:
    assert body("<style>body{margin:0}</style>x") == '<body style="margin: 0;">x</body>'


def test_what_no_style_attribute_can_say_stays_in_a_style() -> None:
    source = (
        "<style>p{color:red} a:hover{color:blue} @media (max-width:600px){p{color:green}}"
        "@media print{p{margin:0}}</style><style media='screen and (max-width:400px)'>b{margin:0}"
        "</style><p>x</p>"
    )
    assert "<style>" not in body(source)
    assert head(source).count("<style>") == 1
    for rule in ("a:hover {", "@media (max-width:600px) {", "@media print {", "max-width:400px"):
        assert rule in head(source)
    assert "color:red" not in head(source)


def test_code_in_values_is_inlined_and_rules_that_code_decides_are_not() -> None:
    source = (
        "<style>.a{color:{{ c }}} {% if x %}.a{margin:0}{% endif %} .a{padding:0}</style>"
        "<p class=a style='{% if y %}border:0{% endif %}'>x</p>"
    )
    assert body(source) == (
        '<body><p class="a" style="color: {{ c }};padding: 0;{% if y %}border:0{% endif %}">x</p>'
        "</body>"
    )
    assert "{% if x %}\n.a { margin:0 }\n{% endif %}" in head(source)


def test_code_among_attributes_keeps_its_place() -> None:
    source = "<style>p{margin:0}</style><p id=i {% if x %}class=a{% endif %} align=right>x</p>"
    assert body(source) == (
        '<body><p id="i" {% if x %} class="a" {% endif %} align="right" style="margin: 0">x</p>'
        "</body>"
    )


def test_doing_all_at_once_gives_the_same_as_one_by_one() -> None:
    source = "<style>p{margin:0}</style><p {% if x %}id=a{% endif %}>a <a href={{ b }}>c</a></p>"
    page = inline_styles(sanitise_html(source))
    assert mail_of_html(source) == (page, text_of_html(page))


class Listener(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/css")
        self.end_headers()
        self.wfile.write(b"p{color:tomato}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "source",
    [
        "<link rel=stylesheet href={}>",
        "<link rel=stylesheet type=text/css href={}><base href={}>",
        "<style>@import url({});</style>",
        "<style>@import '{}';</style>",
        "<style>@import/**/'{}';p{{margin:0}}</style>",
        "<?xml-stylesheet href='{}'?>",
    ],
)
def test_nothing_is_loaded_from_anywhere(source: str, address: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.css"
    file.write_text("p{color:tomato}")
    Listener.asked.clear()
    for place in (f"{address}/x.css", file.as_uri(), str(file), "secret.css"):
        page = inline_styles(source.replace("{}", place).replace("{{", "{").replace("}}", "}") + "<p>x</p>")  # fmt: skip  # noqa: E501
        assert "tomato" not in page
        assert place not in page
    assert Listener.asked == []


def test_styles_that_would_fill_memory_are_refused() -> None:
    source = "<style>*{a:" + "b" * 2000 + "}</style>" + "<p>x</p>" * 4000
    with pytest.raises(TemplateError, match="apply to too many elements"):
        inline_styles(source)
