"""How a variable is written into a template, so that nobody needs to know Liquid (R-VARS). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kartramail.assets.kinds import variables_of
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.variables import Variable

_DEFAULTS = {"contact.first_name": "there"}
"""What stands there for people of whom it is not known: "Hello there"."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A variable at hand: what to write, what it means, and an example in words, "" without one."""

    code: str
    meaning: str
    example: str


def snippets_of(one: NotificationType, examples: Mapping[str, Any]) -> list[Snippet]:
    """All variables of a notification, what its event brings first; `examples` are nested."""
    return [
        Snippet(_code(each), each.meaning, _example(_value(examples, each)))
        for each in variables_of(one)
    ]


def _value(examples: Mapping[str, Any], variable: Variable) -> object:
    """The example at hand: the business and the form, calendar or product have their own names."""
    found: Any = examples
    for name in variable.name.split("."):  # what opens all below it, with `*`, has none
        found = found.get(name, "") if isinstance(found, Mapping) else ""
    return found


def _code(variable: Variable) -> str:
    name, example = variable.name, variable.example
    if name.endswith(".*"):
        below = next(iter(example), "name") if isinstance(example, dict) else "name"
        return f"{{{{ {name.removesuffix('*')}{below} }}}}"
    if isinstance(example, list):
        return _loop(name, example)
    default = _DEFAULTS.get(name)
    return f'{{{{ {name} | default: "{default}" }}}}' if default else f"{{{{ {name} }}}}"


def _loop(name: str, examples: list[object]) -> str:
    first = examples[0] if examples else ""
    parts = (
        [f"{{{{ item.{key} }}}}" for key in first] if isinstance(first, dict) else ["{{ item }}"]
    )
    return f"{{% for item in {name} %}}{' '.join(parts)} {{% endfor %}}"


def _example(example: object) -> str:
    if isinstance(example, list):
        return " … ".join(_in_words(each) for each in example)
    return _in_words(example)


def _in_words(example: object) -> str:
    if isinstance(example, dict):
        return " ".join(str(value) for value in example.values())
    return " ".join(str(example).split())
