"""Mistakes in the value of a DKIM key: what stands at the right host, and why it is no use."""

import re
from collections.abc import Callable, Sequence
from itertools import permutations

from kartramail.domains.doctor.scene import Scene, shown_values
from kartramail.domains.doctor.words import excerpt, host_to_type, listed, value_to_type
from kartramail.rules.dkim import TXT_STRING, KeyRecord, parse_key_record
from kartramail.rules.dns_answers import Answer, Found, Record
from kartramail.rules.dns_records import Finding, Problem, RecordState, WantedRecord

_MOST_PIECES = 4
_LEAST_PIECE = 20  # characters of a key that do not come together by chance
_KEY = re.compile(r"(?:^|[;\s\"'])p\s*=(?P<key>[^;]*)", re.DOTALL)
_NOT_OF_A_KEY = re.compile(r"[^A-Za-z0-9+/=]")
_QUOTES = re.compile("[\"'“”„‟‘’«»`]")


def judge_key(scene: Scene, wanted: WantedRecord, answer: Answer[Record]) -> Finding:
    """What the TXT records at a selector's host are worth to a verifier (RFC 6376 §3.6.2)."""
    texts = shown_values(answer)
    ttl = answer.ttl if isinstance(answer, Found) else None
    keys = _keys_of(wanted)
    right = [text for text in texts if _is_right(text, keys)]
    if right and len(right) == len(texts):
        return Finding(RecordState.FOUND, texts, _tolerated(scene, wanted, right), ttl)
    if right:
        return Finding(RecordState.WRONG, texts, _two_keys(scene, wanted, texts), ttl)
    return Finding(RecordState.WRONG, texts, _why_wrong(scene, wanted, texts), ttl)


def is_key_of(wanted: WantedRecord, texts: Sequence[str]) -> bool:
    """Whether one of `texts` is, with or without blemishes, the key that is wanted."""
    keys = _keys_of(wanted)
    return any(_bare_key(text) in keys for text in texts)


def _is_right(text: str, keys: Sequence[str]) -> bool:
    record = parse_key_record(text)
    return isinstance(record, KeyRecord) and record.signs_mail and record.public in keys


def _keys_of(wanted: WantedRecord) -> tuple[str, ...]:
    return tuple(filter(None, map(_bare_key, (wanted.value, *wanted.also))))


def _bare_key(text: str) -> str:
    """What stands after p= (or all, where there is none), without what no key holds."""
    found = _KEY.search(text)
    return _NOT_OF_A_KEY.sub("", found["key"] if found else text)


def _why_wrong(scene: Scene, wanted: WantedRecord, texts: Sequence[str]) -> Problem:
    """The most telling thing to say of texts of which none is right."""
    if broken := _wrapped(scene, wanted, texts):
        return broken
    for check in _CHECKS:
        for text in texts:
            if problem := check(scene, wanted, text):
                return problem
    records = [each for each in map(parse_key_record, texts) if isinstance(each, KeyRecord)]
    if len(records) > 1:
        return _two_keys(scene, wanted, texts)
    if records:
        return Problem(
            "other_value",
            f"At {wanted.host} stands a key, but another one than yours: "
            f"{_key_excerpt(records[0].public)}.",
            _replace_fix(scene, wanted),
        )
    return Problem(
        "not_a_record",
        f"At {wanted.host} stands “{excerpt(texts[0])}”, which is no DKIM key.",
        _replace_fix(scene, wanted),
    )


# One text each, the most telling first.


def _swapped(scene: Scene, wanted: WantedRecord, text: str) -> Problem | None:
    for other in scene.wanted:
        if other.key != wanted.key and other.purpose == wanted.purpose and is_key_of(other, [text]):
            return Problem(
                "swapped_selectors",
                f"At {wanted.host} stands the key that belongs at {other.host}.",
                f"Exchange the two values: the one for {host_to_type(scene, wanted)} begins "
                f"“{_key_excerpt(_bare_key(wanted.value))}” after p=, and the one for "
                f"{host_to_type(scene, other)} begins “{_key_excerpt(_bare_key(other.value))}”.",
            )
    return None


def _revoked(scene: Scene, wanted: WantedRecord, text: str) -> Problem | None:
    record = parse_key_record(text)
    if not isinstance(record, KeyRecord) or not record.is_revoked:
        return None
    return Problem(
        "revoked_key",
        f"At {wanted.host} the key is empty (nothing stands after p=), which tells receivers that "
        "it was revoked and no signature of it counts.",
        _replace_fix(scene, wanted),
    )


def _decorated(scene: Scene, wanted: WantedRecord, text: str) -> Problem | None:
    """The right key, with something in or around it that verifiers stumble over."""
    if not is_key_of(wanted, [text]):
        return None
    if _QUOTES.search(text) or "\\" in text:
        mark = "backslashes" if not _QUOTES.search(text) else "quotation marks"
        return Problem(
            "quoted_value",
            f"The key at {wanted.host} has {mark} in it that were stored as a part of the value: "
            f"it reads {excerpt(text)}.",
            f"Edit the record at {host_to_type(scene, wanted)} and paste the value again without "
            f"{mark}: it begins with v=DKIM1 and ends with the last character of the key.",
        )
    if "\r" in text or "\n" in text:
        return Problem(
            "wrapped_key",
            f"The key at {wanted.host} is broken by line breaks inside it, as they come along when "
            "one copies it out of a mail or a document.",
            _one_line_fix(scene, wanted),
        )
    if not isinstance(parse_key_record(text), KeyRecord):
        return _around(scene, wanted, text)
    return Problem(
        "other_value",
        f"The key at {wanted.host} is yours, but the tags beside it forbid what signs your mail: "
        f"“{excerpt(text)}”.",
        _replace_fix(scene, wanted),
    )


def _around(scene: Scene, wanted: WantedRecord, text: str) -> Problem:
    """The right key in a text that is no record."""
    if not text.isascii() or any(char.isspace() for char in _key_text(text).strip()):
        return Problem(
            "spaces_in_value",
            f"The key at {wanted.host} has spaces or invisible characters in it, and receivers "
            "cannot read it.",
            _one_line_fix(scene, wanted),
        )
    if _KEY.search(text) is None:
        what = "The key itself stands there, but not what must stand before it."
    else:
        problem = parse_key_record(text)
        what = problem.message if isinstance(problem, Problem) else ""
    return Problem(
        "not_a_record",
        f"At {wanted.host} stands your key, but not as a DKIM record: “{excerpt(text)}”. {what}",
        _replace_fix(scene, wanted),
    )


def _truncated(scene: Scene, wanted: WantedRecord, text: str) -> Problem | None:
    found = _bare_key(text)
    if len(found) < _LEAST_PIECE:
        return None
    for key in _keys_of(wanted):
        if key == found or not (key.startswith(found) or key.endswith(found)):
            continue
        lost = "end" if key.startswith(found) else "beginning"
        cut = f", cut at {TXT_STRING} characters" if len(text) in (254, 255, 256) else ""
        return Problem(
            "truncated_key",
            f"The key at {wanted.host} is not whole: its {lost} is missing{cut}. "
            f"{len(found)} of {len(key)} characters of the key arrived.",
            f"Edit the record at {host_to_type(scene, wanted)} and paste {value_to_type(wanted)}. "
            f"If the field takes no more than {TXT_STRING} characters, take the record from the "
            "zone file on this page, where the value stands in two parts.",
        )
    return None


def _other_case(scene: Scene, wanted: WantedRecord, text: str) -> Problem | None:
    if _bare_key(text).lower() not in [key.lower() for key in _keys_of(wanted)]:
        return None
    return Problem(
        "other_value",
        f"The key at {wanted.host} has lost the difference between capital and small letters.",
        _replace_fix(scene, wanted),
    )


_CHECKS: tuple[Callable[[Scene, WantedRecord, str], Problem | None], ...] = (
    _swapped,
    _decorated,
    _truncated,
    _revoked,
    _other_case,
)


def _wrapped(scene: Scene, wanted: WantedRecord, texts: Sequence[str]) -> Problem | None:
    """Whether the key was broken into several records."""
    if not 2 <= len(texts) <= _MOST_PIECES:
        return None
    keys = _keys_of(wanted)
    for order in permutations(_pieces(texts)):
        if "".join(order) in keys:
            return Problem(
                "wrapped_key",
                f"At {wanted.host} your key is broken into {len(texts)} records, and receivers "
                "read only one of them.",
                f"Delete the {len(texts)} records at {host_to_type(scene, wanted)} and add one "
                f"TXT record instead, with {value_to_type(wanted)} on one line.",
            )
    return None


def _pieces(texts: Sequence[str]) -> list[str]:
    return [_bare_key(text) for text in texts]


def _tolerated(scene: Scene, wanted: WantedRecord, texts: Sequence[str]) -> Problem | None:
    """What verifiers put up with, and is worth a word all the same."""
    publics = {_bare_key(text) for text in texts}
    if len(publics) > 1:
        return _old_beside_new(scene, wanted, texts, publics)
    if len(texts) > 1:
        return Problem(
            "two_keys",
            f"At {wanted.host} your key stands in {len(texts)} records. Mail passes, since they "
            "say the same, but there should be one.",
            f"Delete all but one of the records at {host_to_type(scene, wanted)}.",
        )
    if _is_test(texts[0]):
        return Problem(
            "test_mode",
            f"The key at {wanted.host} is marked as a test (t=y): receivers may treat your mail as "
            "if it were not signed.",
            f"Edit the record at {host_to_type(scene, wanted)} and remove t=y from it.",
        )
    if any(char.isspace() for char in _key_text(texts[0]).strip()):
        return Problem(
            "spaces_in_value",
            f"The key at {wanted.host} has spaces in it. Receivers must read over them, and "
            "nearly all do.",
            _one_line_fix(scene, wanted),
        )
    return None


def _old_beside_new(
    scene: Scene, wanted: WantedRecord, texts: Sequence[str], publics: set[str]
) -> Problem:
    """Different keys, all of them ours: none may sign, but what was found before is not lost."""
    newest = _bare_key(wanted.value)
    old = listed([f"“{_key_excerpt(each)}”" for each in sorted(publics - {newest})])
    also = "" if newest in publics else f" Then add {value_to_type(wanted)}."
    return Problem(
        "two_keys",
        f"At {wanted.host} stand {len(texts)} TXT records with different keys of yours, and "
        "receivers take any of them. The new key is not used before it stands there alone.",
        f"At {host_to_type(scene, wanted)}, delete the old one, whose key begins {old} after p=."
        f"{also}",
    )


def _is_test(text: str) -> bool:
    record = parse_key_record(text)
    return isinstance(record, KeyRecord) and "y" in record.flags  # RFC 6376 §3.6.1


def _key_text(text: str) -> str:
    found = _KEY.search(text)
    return found["key"] if found else text


def _two_keys(scene: Scene, wanted: WantedRecord, texts: Sequence[str]) -> Problem:
    others = [text for text in texts if not _is_right(text, _keys_of(wanted)[:1])] or texts
    return Problem(
        "two_keys",
        f"At {wanted.host} stand {len(texts)} TXT records where only one may be, and receivers "
        "take any of them.",
        f"At {host_to_type(scene, wanted)}, delete “{excerpt(others[0])}”, which is not asked for, "
        f"and leave only {value_to_type(wanted)}.",
    )


def _key_excerpt(key: str) -> str:
    """Enough of a key to tell it from another: every RSA-2048 key begins alike."""
    return f"{key[:24]}…{key[40:52]}…" if len(key) > 60 else key


def _replace_fix(scene: Scene, wanted: WantedRecord) -> str:
    return (
        f"Edit the record at {host_to_type(scene, wanted)} and replace its value by "
        f"{value_to_type(wanted)}."
    )


def _one_line_fix(scene: Scene, wanted: WantedRecord) -> str:
    return (
        f"Edit the record at {host_to_type(scene, wanted)}, empty the value and paste "
        f"{value_to_type(wanted)} with the copy button, on one line and without spaces in the key."
    )
