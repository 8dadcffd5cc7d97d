"""Records as zone-file text, read back by dnspython (RFC 1035 §5)."""

import dns.name
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Purpose, WantedRecord
from kartramail.rules.zone_text import zone_file, zone_line

ZONE = "doeinc.test"
HEAD = (
    f"{ZONE}. 300 IN SOA ns.{ZONE}. hm.{ZONE}. 1 2 3 4 5\n"
    f"{ZONE}. 300 IN NS ns.{ZONE}.\n"
    f"ns.{ZONE}. 300 IN A 192.0.2.1\n"
)
LABELS = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def read_back(text: str) -> dns.zone.Zone:
    return dns.zone.from_text(HEAD + text + "\n", origin=f"{ZONE}.", relativize=False)


def strings_of(text: str, host: str) -> tuple[bytes, ...]:
    rdataset = read_back(text).find_rdataset(dns.name.from_text(host), dns.rdatatype.TXT)
    return tuple(rdataset[0].strings)


@settings(deadline=None)
@given(st.text(max_size=700))
def test_every_text_is_read_back_as_it_was(value: str) -> None:
    line = zone_line(f"km1._domainkey.{ZONE}", RecordType.TXT, value)
    assert "\n" not in line
    assert line.isascii()
    strings = strings_of(line, f"km1._domainkey.{ZONE}")
    assert b"".join(strings).decode() == value
    assert all(len(each) <= 255 for each in strings)


def test_a_long_key_stands_in_quoted_strings_of_255_octets() -> None:
    line = zone_line(f"km1._domainkey.{ZONE}", RecordType.TXT, "v=DKIM1; p=" + "A" * 399)
    assert line.startswith(f'km1._domainkey.{ZONE}.\t3600\tIN\tTXT\t"v=DKIM1; p=AAA')
    assert [len(each) for each in strings_of(line, f"km1._domainkey.{ZONE}")] == [255, 155]


@settings(deadline=None)
@given(LABELS, LABELS, st.integers(min_value=0, max_value=2**31 - 1))
def test_a_cname_is_read_back_with_absolute_names(host: str, target: str, ttl: int) -> None:
    host = f"cn-{host}.{ZONE}"
    line = zone_line(host, RecordType.CNAME, f"{target}.kartra.test", ttl)
    found = read_back(line).find_rdataset(dns.name.from_text(host), dns.rdatatype.CNAME)
    assert found.ttl == ttl
    assert found[0].target == dns.name.from_text(f"{target}.kartra.test.")


@pytest.mark.parametrize(
    ("record_type", "value", "end"),
    [
        (RecordType.MX, "10 mail.doeinc.test", "MX\t10 mail.doeinc.test."),
        (RecordType.A, "192.0.2.1", "A\t192.0.2.1"),
        (RecordType.AAAA, "2001:db8::1", "AAAA\t2001:db8::1"),
        (RecordType.CNAME, "bounces.kartra.test.", "CNAME\tbounces.kartra.test."),
        (RecordType.TXT, 'say "a\\b"', 'TXT\t"say \\"a\\\\b\\""'),
        (RecordType.TXT, "", 'TXT\t""'),
    ],
)
def test_each_type_has_its_form(record_type: RecordType, value: str, end: str) -> None:
    line = zone_line(f"at.{ZONE}", record_type, value)
    assert line == f"at.{ZONE}.\t3600\tIN\t{end}"
    read_back(line)


def test_a_file_has_its_comments_before_its_records() -> None:
    records = [
        WantedRecord("km", Purpose.RETURN_PATH, RecordType.CNAME, f"km.{ZONE}", ZONE, "b.test"),
        WantedRecord(
            "_dmarc", Purpose.DMARC, RecordType.TXT, f"_dmarc.{ZONE}", ZONE, "v=DMARC1; p=none"
        ),
    ]
    text = zone_file(records, ["For doeinc.test", "", "two\nlines. IN A 1.2.3.4"])
    assert text.splitlines() == [
        "; For doeinc.test",
        ";",
        "; two lines. IN A 1.2.3.4",
        f"km.{ZONE}.\t3600\tIN\tCNAME\tb.test.",
        f'_dmarc.{ZONE}.\t3600\tIN\tTXT\t"v=DMARC1; p=none"',
    ]
    assert strings_of(text, f"_dmarc.{ZONE}") == (b"v=DMARC1; p=none",)
