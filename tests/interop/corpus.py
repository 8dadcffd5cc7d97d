"""Two hundred messages that could trip a signer: 160 as we build them, 40 by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle

from kartramail.rules.headers import Mailbox
from kartramail.rules.mime import Fixed, MessageHeaders, MessageSource, compile_message
from tests.interop.raw_letters import raw_letters

DOMAINS = (
    "doeinc.test",
    "news.brand.example",
    "bücher.example",
    "例え.example",
    "a-rather-long-name-of-a-business-that-wanted-all-of-it-in-there.example",
)
"""Whose messages they are. Their keys are theirs alone."""

SENTENCES = {
    "Latin": "Your booking is confirmed",
    "Latin, plain": "a",
    "Latin, marks": '=?utf-8?q?not_encoded?= <b@x> "quoted" \\ (comment), ; : @',
    "French": "Votre réservation est confirmée à l’hôtel",
    "German": "Ihre Buchung ist bestätigt: Größe, Straße, Übermaß",
    "Spanish": "¡Su reserva está confirmada, señor Núñez!",
    "Portuguese": "A sua reserva está confirmada, João e Conceição",
    "Polish": "Twoja rezerwacja została potwierdzona, Łukasz Żółć",
    "Czech": "Vaše rezervace je potvrzena, příliš žluťoučký kůň",
    "Hungarian": "A foglalását visszaigazoltuk, árvíztűrő tükörfúrógép",
    "Turkish": "Rezervasyonunuz onaylandı, İstanbul’da ığdır",
    "Vietnamese": "Đặt chỗ của bạn đã được xác nhận",
    "Icelandic": "Bókunin þín er staðfest, Þórður Ægisson",
    "Romanian": "Rezervarea dumneavoastră este confirmată, Ștefan Țăran",
    "Greek": "Η κράτησή σας επιβεβαιώθηκε",
    "Russian": "Ваше бронирование подтверждено",
    "Ukrainian": "Ваше бронювання підтверджено, Ґанна Їжакевич",
    "Serbian": "Ваша резервација је потврђена, Љубица Џаковић",
    "Armenian": "Ձեր ամրագրումը հաստատված է",
    "Georgian": "თქვენი ჯავშანი დადასტურებულია",
    "Hebrew": "ההזמנה שלך אושרה, שלום",
    "Arabic": "تم تأكيد حجزك، مرحبا",
    "Persian": "رزرو شما تأیید شد، خوش‌آمدید",
    "Urdu": "آپ کی بکنگ کی تصدیق ہو گئی ہے",
    "Hindi": "आपकी बुकिंग की पुष्टि हो गई है",
    "Bengali": "আপনার বুকিং নিশ্চিত হয়েছে",
    "Punjabi": "ਤੁਹਾਡੀ ਬੁਕਿੰਗ ਦੀ ਪੁਸ਼ਟੀ ਹੋ ਗਈ ਹੈ",
    "Gujarati": "તમારું બુકિંગ કન્ફર્મ થયું છે",
    "Tamil": "உங்கள் முன்பதிவு உறுதிசெய்யப்பட்டது",
    "Telugu": "మీ బుకింగ్ నిర్ధారించబడింది",
    "Sinhala": "ඔබගේ වෙන්කිරීම තහවුරු කර ඇත",
    "Thai": "การจองของคุณได้รับการยืนยันแล้ว",
    "Khmer": "ការកក់របស់អ្នកត្រូវបានបញ្ជាក់",
    "Burmese": "သင့်ကြိုတင်မှာယူမှုကို အတည်ပြုပြီးပါပြီ",
    "Amharic": "ቦታ ማስያዝዎ ተረጋግጧል",
    "Chinese": "您的预订已确认，谢谢惠顾",
    "Japanese": "ご予約が確定しました、カタカナとひらがな",
    "Korean": "예약이 확정되었습니다 감사합니다",
    "Emoji": "👩‍👩‍👧 Booked 🎉 🇯🇵 ✅",
    "Mathematics": "𝐁𝐨𝐨𝐤𝐞𝐝 ∀x∈ℝ: x² ≥ 0 ½ ﬁ",
}
"""A name of a script or language, and words in it. All beyond ASCII travel encoded."""

_KINDS = 13  # of bodies

Bodies = tuple[str | None, str | None]  # text, HTML


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: what it is good for, the domain of its From in A-labels, and its octets."""

    name: str
    domain: str
    data: bytes


def letters() -> list[Letter]:
    """All two hundred, the same in every run."""
    return [*_built_letters(), *_letters_by_hand()]


def _built_letters() -> Iterator[Letter]:
    domains, kinds = cycle(DOMAINS), cycle(range(_KINDS))
    for script, sentence in SENTENCES.items():
        for variant in range(4):
            kind = next(kinds)
            text, html = _bodies(sentence, kind)
            source = MessageSource(Fixed(_subject(sentence, variant)), _fixed(text), _fixed(html))
            data = compile_message(source).fill(_headers(sentence, next(domains), variant), {})
            yield Letter(f"{script}, subject {variant}, body {kind}", _domain_of(data), data)


def _letters_by_hand() -> Iterator[Letter]:
    for name, data in raw_letters():
        yield Letter(name, "doeinc.test", data)


def _fixed(words: str | None) -> Fixed | None:
    return None if words is None else Fixed(words)


def _domain_of(data: bytes) -> str:
    """The domain of From in A-labels, as the message itself has it."""
    unfolded = data.replace(b"\r\n ", b" ")
    (field,) = [line for line in unfolded.split(b"\r\n") if line.startswith(b"From: ")]
    return field.rpartition(b"@")[2].rstrip(b">").decode("ascii")


def _subject(sentence: str, variant: int) -> str:
    return (sentence, f"{sentence} " * 12, f"Re: {sentence} (42 %)", sentence * 9)[variant]


def _headers(sentence: str, domain: str, variant: int) -> MessageHeaders:
    name = sentence.replace("<b@x>", "").replace("@", "at")
    unsubscribe = "<https://kartra.test/u/" + "x" * 20 * variant + ">, <mailto:u@kartra.test>"
    commercial = (
        ("List-Unsubscribe", unsubscribe),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    return MessageHeaders(
        sender=Mailbox(f"hello@{domain}", name if variant else ""),
        to=Mailbox("bob@example.net", name * 3 if variant == 2 else name),
        message_id=f"<{variant}.0d5e@{domain.encode('idna').decode()}>",
        date=datetime(2026, 3, 9, 8, 7, 6, tzinfo=UTC) + timedelta(hours=variant),
        reply_to=Mailbox(f"answers@{domain}", name) if variant % 2 else None,
        extra=(
            ("X-KartraMail-Message", "m" * (variant + 1)),
            *(commercial if variant > 1 else ()),
            ("Feedback-ID", "broadcast:a1:commercial:kartramail"),
            ("Auto-Submitted", "auto-generated"),
        ),
    )


def _bodies(words: str, kind: int) -> Bodies:
    table = f"<table>\n{f'  <tr><td>{words}</td></tr>' * 40}\n\n</table>\n"
    kinds: tuple[Bodies, ...] = (
        (words, None),
        (f"{words} " * 80, None),
        (f".\n..\n.{words}\n...\n.\n\n.", None),
        ("", None),
        (None, None),
        (f"{words} \t \n\t\t{words}   {words}\n \n\t\n", None),
        (f"From {words}\n>From {words}\n--=_kartramail\n--=_kartramail--\n", None),
        (None, f"<p>{words}</p>\n" * 30),
        (words, f"<p>{words}</p>"),
        (f"{words}\n.", table),
        (words + "\n" * 30, None),
        ("\n\n \n\n", "\n"),
        ("Plain ASCII, a line.\n" * 40, "<p>Plain  ASCII</p>\n\t<p>twice</p>\n"),
    )
    assert len(kinds) == _KINDS
    return kinds[kind]


def describe() -> str:
    """What they are, for who wonders: `python -m tests.interop.corpus`."""
    return "\n".join(f"{len(letter.data):7} {letter.name}" for letter in letters())


if __name__ == "__main__":
    print(describe())
