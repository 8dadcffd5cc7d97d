"""What HTML of a mail may be made of."""


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


VOID = frozenset({"br", "col", "hr", "img", "wbr"})

FORMATTING = _names("a b big code em font i s small strike strong tt u")  # HTML §13.2.4.3
"""An element of these that is not closed begins anew in every paragraph that follows."""

TAGS = (
    _names(
        "abbr address article aside bdi bdo blockquote caption center cite col colgroup dd del dfn "
        "div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header ins kbd li main mark nav ol p "
        "pre q samp section span style sub sup table tbody td tfoot th thead time tr ul var"
    )
    | VOID
    | FORMATTING
)

DROPPED = _names(
    "applet audio embed iframe math noembed noframes noscript object script select svg template "
    "textarea title video xmp"
)
"""Elements that go with all that is in them; of the other unknown ones the content stays."""

IMPLIED_ENDS = _names("p li dt dd tr td th tbody thead tfoot colgroup caption")
"""Elements that many people leave open; the parser closes them."""

_EVERYWHERE = _names(
    "align bgcolor border class color dir height hidden id lang name role style title valign width"
)
_CELL = _names("abbr background colspan headers nowrap rowspan scope")

ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": _EVERYWHERE,
    "a": _names("href rel target"),
    "blockquote": frozenset({"cite"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "del": _names("cite datetime"),
    "font": _names("face size"),
    "hr": _names("noshade size"),
    "img": _names("alt hspace src vspace"),
    "ins": _names("cite datetime"),
    "li": _names("type value"),
    "ol": _names("reversed start type"),
    "q": frozenset({"cite"}),
    "style": _names("media type"),
    "table": _names("background cellpadding cellspacing frame rules summary"),
    "td": _CELL,
    "th": _CELL,
    "time": frozenset({"datetime"}),
    "tr": frozenset({"background"}),
    "ul": frozenset({"type"}),
}


def is_attribute_allowed(tag: str, name: str) -> bool:
    """Whether a tag may have an attribute of that name."""
    return (
        name in _EVERYWHERE
        or name in ATTRIBUTES.get(tag, frozenset())
        or (name.startswith("aria-") and name[5:].isalpha())
    )
