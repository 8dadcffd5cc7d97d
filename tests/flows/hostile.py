"""What nobody types by accident, and how a browser or a program would send it."""

import json
from collections.abc import Mapping
from urllib.parse import quote_plus

LINE_ENDS = ("\r\n", "\r", "\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""Everything that Python or a mail server may take for the end of a line."""

INJECTED = "X-Injected: yes"
MARKUP = '<script>alert("x")</script>'
SUM = "7437855049"  # 86243 * 86243: stands on a page only when somebody has counted

TEXTS = (
    *(f"Doe{end}{INJECTED}" for end in LINE_ENDS),
    "Doe\x00Inc",
    "Doe\u202eInc",  # right-to-left override
    "Doe\ud800Inc",  # half of a surrogate pair
    "D" * 10_000,
    MARKUP,
    '"><img src=x onerror=alert(1)>',
    "{{ 86243 | times: 86243 }}",
    "{{ 86243*86243 }}{% raw %}",
    "{% for x in (1..99999999) %}x{% endfor %}",
    "'; DROP TABLE message; --",
    "=?utf-8?q?Doe=0d=0aX-Injected:_yes?=",
    "%0d%0aX-Injected: yes",
    "\N{COMBINING ACUTE ACCENT}" * 200,
    "",
)
ADDRESSES = (
    *(f"jane{end}@doeinc.com" for end in LINE_ENDS),
    f"jane@doeinc.com\r\n{INJECTED}",
    "jane@doeinc.com\x00",
    "jane@doeinc.com, charlie@evil.example",
    "<jane@doeinc.com>\r\nRCPT TO:<charlie@evil.example>",
    '"jane\\"@evil.example"@doeinc.com',
    "jane@doeinc.com\u2028Bcc: charlie@evil.example",
    "jane@[127.0.0.1]",
    "jane@\ud800.com",
    f"jane@{'a' * 300}.com",
    f"{MARKUP}@doeinc.com",
    "{{ 86243*86243 }}@doeinc.com",
)
SMUGGLED = "MAIL FROM:<charlie@evil.example>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\nx"
SMUGGLING = tuple(
    f"before{ending}{SMUGGLED}"
    for ending in (
        "\r\n.\r\n",
        "\n.\n",
        "\n.\r\n",
        "\r.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r.\n",
        "\n.\r",
        "\r\n.\r",
        "\x00\r\n.\r\n",
        "\r\n\x00.\r\n",
        "\x85.\x85",
        "\u2028.\u2028",
    )
)


def form_body(fields: Mapping[str, str]) -> bytes:
    """The fields as a hostile program would post them, half surrogate pairs included."""
    pairs = (
        f"{name}={quote_plus(value.encode('utf-8', 'surrogatepass'))}"
        for name, value in fields.items()
    )
    return "&".join(pairs).encode()


def json_body(value: object) -> bytes:
    """JSON in ASCII: half surrogate pairs travel as escapes and come out as what they are."""
    return json.dumps(value).encode()
