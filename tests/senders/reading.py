"""What a page says, as a person reads it: tags gone, spaces single."""

from lxml import html
from werkzeug.test import TestResponse

EDIT = "/settings/integrations/kartramail/edit"
CARD = "/settings/integrations"
CHECK = "/settings/integrations/kartramail/check"


def text_of(response: TestResponse) -> str:
    """All the words of a page or fragment."""
    tree = html.fromstring(f"<div>{response.get_data(as_text=True)}</div>")
    return " ".join(tree.text_content().split())


def value_of(response: TestResponse, name: str) -> str:
    """What stands in a field of the page."""
    tree = html.fromstring(response.get_data(as_text=True))
    (field,) = tree.xpath(f"//form[@id='sender-form']//input[@name='{name}']")
    return str(field.get("value", ""))


def message_of(response: TestResponse, name: str) -> str:
    """What stands below a field of the page."""
    tree = html.fromstring(response.get_data(as_text=True))
    (line,) = tree.xpath(f"//*[@id='{name}-message']")
    return " ".join(line.text_content().split())
