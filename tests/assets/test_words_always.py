"""Whatever is set at which place, a notification that is on says something (R-ASSET, R-GLOBAL)."""

from hypothesis import given
from hypothesis import strategies as st

from kartramail.assets.effective import NOTHING, Layer, words_of
from kartramail.assets.kinds import TYPES
from kartramail.messages.words import finish_words

_htmls = st.none() | st.just("") | st.just("<p>Hello</p>")
_texts = st.none() | st.just("") | st.just("Hello")


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """What one place may hold."""
    html = draw(_htmls)
    _, made, finished = finish_words(("", None, html)) if html else ("", html, html)
    return Layer(html=html, text=draw(_texts), finished_html=finished, html_text=made)


@given(own=layers(), everywhere=layers())
def test_there_are_always_words(own: Layer, everywhere: Layer) -> None:
    words = words_of(TYPES["calendar.booked"], own, everywhere)
    assert words is not None
    subject, text, html = words
    assert subject
    assert text or html


def test_what_is_said_everywhere_is_not_hidden_by_silence() -> None:
    own, everywhere = Layer(text=""), Layer(html="", text="Hello", finished_html="")
    words = words_of(TYPES["calendar.booked"], own, everywhere)
    assert words is not None
    assert words[1] == "Hello"


def test_a_text_alone_is_a_mail_of_text() -> None:
    own = Layer(html="", text="Hello", finished_html="")
    words = words_of(TYPES["calendar.booked"], own, NOTHING)
    assert words is not None
    assert words[1:] == ("Hello", None)
