"""The mistakes that people make with DNS records, each with what then stands in their zone.

A new one is an entry in `MISTAKES`. The codes are those of the DNS doctor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Purpose, WantedRecord
from kartramail.sandbox.practice_records import (
    EVERYBODY,
    OWN_SERVERS,
    Asker,
    PracticeRecord,
)

Records = tuple[PracticeRecord, ...]
Test = Callable[[WantedRecord], bool]
Make = Callable[[WantedRecord, Sequence[WantedRecord]], Records]

_CUT_AT = 255  # octets that one string of a TXT record holds: many forms take no more
_LINE = 64  # characters of a line in a PEM file
_OTHER_POLICY = "v=DMARC1; p=reject"
_NO_RECORD = "site-verification=9f2c1b7d"
_PROXY_ADDRESSES = ("104.16.0.10", "104.16.0.11")  # of Cloudflare, which answers for the CNAME
_WEB_ADDRESS = "192.0.2.80"
_OTHER_HOST = "mail.another.test"


@dataclass(frozen=True, slots=True)
class Mistake:
    """`code` is the doctor's, `words` are for the button that makes it.

    `applies_to(wanted)` says whether it can be made with that record.
    """

    code: str
    words: str
    applies_to: Test
    make: Make

    def records(self, wanted: WantedRecord, others: Sequence[WantedRecord] = ()) -> Records:
        """What stands in the zone of somebody who makes this mistake with `wanted`.

        `others` are the other wanted records of the domain. Raises ValueError where one that the
        mistake needs is not among them.
        """
        return self.make(wanted, others)


def find_mistake(code: str) -> Mistake | None:
    """The mistake with that code."""
    return next((each for each in MISTAKES if each.code == code), None)


def mistakes_for(wanted: WantedRecord) -> tuple[Mistake, ...]:
    """Those that can be made with this record, in the order of the page."""
    return tuple(each for each in MISTAKES if each.applies_to(wanted))


# Which records a mistake is one of


def _any(_wanted: WantedRecord) -> bool:
    return True


def _is_text(wanted: WantedRecord) -> bool:
    return wanted.type is RecordType.TXT


def _is_alias(wanted: WantedRecord) -> bool:
    return wanted.type is RecordType.CNAME


def _is_selector(wanted: WantedRecord) -> bool:
    return wanted.purpose is Purpose.DKIM


def _is_key(wanted: WantedRecord) -> bool:
    return _is_selector(wanted) and _is_text(wanted)


def _is_dmarc(wanted: WantedRecord) -> bool:
    return wanted.purpose is Purpose.DMARC


def _is_return_path(wanted: WantedRecord) -> bool:
    return wanted.purpose is Purpose.RETURN_PATH


# How records are made


def _at(host: str, wanted: WantedRecord, seen_by: frozenset[Asker] = EVERYBODY) -> PracticeRecord:
    """The wanted record at that name."""
    return PracticeRecord(host, wanted.type, wanted.value, seen_by)


def _right(wanted: WantedRecord, seen_by: frozenset[Asker] = EVERYBODY) -> PracticeRecord:
    return _at(wanted.host, wanted, seen_by)


def _instead(change: Callable[[str], str]) -> Make:
    """The record as it is wanted, but for its value."""

    def make(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
        return (PracticeRecord(wanted.host, wanted.type, change(wanted.value)),)

    return make


def _and_beside(change: Callable[[str], str]) -> Make:
    """The record as it is wanted, and another one at the same name."""

    def make(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
        other = PracticeRecord(wanted.host, wanted.type, change(wanted.value))
        return _right(wanted), other

    return make


def _key_of(value: str) -> tuple[str, str]:
    """What stands before the key of a selector's record, and the key."""
    before, mark, key = value.partition("p=")
    return before + mark, key


def _wrap(value: str) -> str:
    before, key = _key_of(value)
    lines = [key[at : at + _LINE] for at in range(0, len(key), _LINE)]
    return before + "\n".join(lines)


def _space_out(value: str) -> str:
    """Spaces within a key, or before a text that has none."""
    before, key = _key_of(value)
    middle = len(key) // 2
    return f"{before}{key[:middle]}  {key[middle:]}" if len(key) > _LINE else f"  {value}"


def _other_key(value: str) -> str:
    """A record with a key that is not this one: some of its modulus is read backwards."""
    before, key = _key_of(value)
    middle = slice(len(key) // 4, len(key) // 2)
    return before + key[: middle.start] + key[middle][::-1] + key[middle.stop :]


def _other_text(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    return (PracticeRecord(wanted.host, wanted.type, _other_key(wanted.value)),)


def _doubled_domain(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    return (_at(f"{wanted.host}.{wanted.zone}", wanted),)


def _wrong_name(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    """Selectors without `_domainkey`, DMARC without the underscore, the return path at the name
    that its target begins with."""
    label, _, above = wanted.host.partition(".")
    if wanted.purpose is Purpose.DKIM:
        return (_at(f"{label}.{above.removeprefix('_domainkey.')}", wanted),)
    if wanted.purpose is Purpose.DMARC:
        return (_at(f"{label.removeprefix('_')}.{above}", wanted),)
    return (_at(f"{wanted.value.partition('.')[0]}.{above}", wanted),)


def _beside(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    """A name with a CNAME can have nothing else (RFC 1034 §3.6.2): servers leave the CNAME out.

    Some serve a CNAME that was added beside a text all the same.
    """
    if wanted.type is RecordType.CNAME:
        return (PracticeRecord(wanted.host, RecordType.TXT, _NO_RECORD),)
    return _right(wanted), PracticeRecord(wanted.host, RecordType.CNAME, _OTHER_HOST)


def _proxied(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    return tuple(PracticeRecord(wanted.host, RecordType.A, each) for each in _PROXY_ADDRESSES)


def _two_spf(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    """The return path is right; at the domain itself stand two SPF records (RFC 7208 §4.5)."""
    domain = wanted.host.partition(".")[2]
    include = PracticeRecord(domain, RecordType.TXT, f"v=spf1 include:{wanted.value} ~all")
    own = PracticeRecord(domain, RecordType.TXT, "v=spf1 mx ~all")
    return _right(wanted), own, include


def _wildcard(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    """A record for all names that have none. Where a selector's sibling is published, a wildcard
    at the domain does not reach beside it (RFC 4592 §4.2), so there is one at each level."""
    above = wanted.host.partition(".")[2]
    domain = above.removeprefix("_domainkey.")
    hosts = dict.fromkeys((f"*.{above}", f"*.{domain}"))
    if wanted.type is RecordType.CNAME:
        return tuple(PracticeRecord(host, RecordType.CNAME, _OTHER_HOST) for host in hosts)
    return tuple(PracticeRecord(host, RecordType.TXT, "v=spf1 -all") for host in hosts)


def _swapped(wanted: WantedRecord, others: Sequence[WantedRecord]) -> Records:
    for other in others:
        if other.purpose is Purpose.DKIM and other.key != wanted.key:
            return (PracticeRecord(wanted.host, wanted.type, other.value),)
    raise ValueError(f"the record of the other selector is needed beside {wanted.host}")


def _other_type(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    """The target of an alias typed into a TXT record; an alias where a text is wanted."""
    if wanted.type is RecordType.CNAME:
        return (PracticeRecord(wanted.host, RecordType.TXT, wanted.value),)
    return (PracticeRecord(wanted.host, RecordType.CNAME, _OTHER_HOST),)


def _disagreeing(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    """The second server has not got the change, and nor has who asked it."""
    return (_right(wanted, frozenset((Asker.FIRST_SERVER,))),)


def _not_propagated(wanted: WantedRecord, _others: Sequence[WantedRecord]) -> Records:
    """The zone has it, and resolvers still remember that it had not."""
    return (_right(wanted, OWN_SERVERS),)


MISTAKES = (
    Mistake("doubled_domain", "Type the domain twice in the host", _any, _doubled_domain),
    Mistake("wrong_name", "Put it at another name", _any, _wrong_name),
    Mistake("quoted_value", "Put quotes into the value", _is_text, _instead('"{}"'.format)),
    Mistake(
        "spaces_in_value",
        "Put spaces into the value",
        _is_text,
        _instead(_space_out),
    ),
    Mistake(
        "truncated_key", "Lose the end of the key", _is_key, _instead(lambda value: value[:_CUT_AT])
    ),
    Mistake("wrapped_key", "Leave line breaks in the key", _is_key, _instead(_wrap)),
    Mistake("cname_beside_records", "Have a CNAME and another record at one name", _any, _beside),
    Mistake("proxied_cname", "Switch the provider's proxy on", _is_alias, _proxied),
    Mistake(
        "two_dmarc_records",
        "Add a second DMARC record",
        _is_dmarc,
        _and_beside(lambda _: _OTHER_POLICY),
    ),
    Mistake("several_records", "Add a second SPF record", _is_return_path, _two_spf),
    Mistake("wildcard", "Have only one record for all names", _any, _wildcard),
    Mistake("swapped_selectors", "Swap the two selectors", _is_selector, _swapped),
    Mistake(
        "other_target", "Point it to somewhere else", _is_alias, _instead(lambda _: _OTHER_HOST)
    ),
    Mistake("other_value", "Use a key that is not this one", _is_key, _other_text),
    Mistake("wrong_type", "Choose the wrong type of record", _any, _other_type),
    Mistake("two_keys", "Leave an old key beside it", _is_key, _and_beside(_other_key)),
    Mistake("revoked_key", "Leave the key empty", _is_key, _instead(lambda v: _key_of(v)[0])),
    Mistake("not_a_record", "Put another text there", _is_text, _instead(lambda _: _NO_RECORD)),
    Mistake("servers_disagree", "Change only one of the name servers", _any, _disagreeing),
    Mistake("not_propagated", "Look before the change has spread", _any, _not_propagated),
)
