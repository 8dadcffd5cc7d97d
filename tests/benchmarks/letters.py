"""The messages of the outbox benchmark: the same words for us and for the peer."""

from dataclasses import dataclass

_PARAGRAPH = (
    "we looked through what you asked for last week and put together the three choices that suit "
    "a business of your size. Each comes with a price, a date and the name of a person to call. "
    "Nothing is booked yet: answer this message, or choose on the page below, and it is yours.\n\n"
)
_SENTENCE = _PARAGRAPH.replace("\n", " ").strip()


@dataclass(frozen=True, slots=True)
class Letter:
    """Words with gaps for `{{ name }}` and `{{ number }}`. `html` may be absent."""

    name: str
    subject: str
    text: str
    html: str | None

    def words(self) -> tuple[str, str, str | None]:
        """As the outbox keeps them."""
        return self.subject, self.text, self.html


def _row(number: int) -> str:
    return (
        f'<tr><td style="padding:8px;font:16px/1.5 sans-serif"><h2>Choice {number} for {{{{ name }}'
        f"}}</h2><p>{_SENTENCE}</p></td></tr>\n"
    )


SMALL = Letter(
    name="small",
    subject="Your receipt {{ number }}",
    text="Hello {{ name }},\n\nthank you. This is your receipt {{ number }}.\n",
    html=None,
)
LARGE = Letter(
    name="10 kB multipart",
    subject="{{ name }}, three choices for you ({{ number }})",
    text="Hello {{ name }},\n\n" + _PARAGRAPH * 9 + "Your number is {{ number }}.\n",
    html="<!doctype html><html><body><table>\n"
    + "".join(_row(number) for number in range(1, 21))
    + "</table><p>Your number is {{ number }}.</p></body></html>\n",
)
LETTERS = (SMALL, LARGE)


def recipient(number: int) -> tuple[str, str]:
    """The name and the address of the recipient of that number."""
    return f"Person {number}", f"person{number}@example.net"
