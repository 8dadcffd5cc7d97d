"""`/api/v1/domains`: add a domain, see its records, look at them now (R-DOMAIN, R-RECORDS)."""

from typing import Any

import pytest

from kartramail.db import Database
from kartramail.installation import Installation
from tests.api.conftest import Program
from tests.support.dns_server import EVERY_NAME, DnsServer
from tests.support.domains import forget_domains, publish_all, show

DOMAIN = {"domain": "doeinc.com"}


def states(body: dict[str, Any]) -> dict[str, str]:
    return {record["host"]: record["state"] for record in body["records"]}


def test_a_new_domain_comes_with_its_records(alices_program: Program, dns: DnsServer) -> None:
    answer = alices_program.post("/domains", DOMAIN)
    assert answer.status_code == 201
    body = answer.json
    assert body["domain"] == "doeinc.com"
    assert body["authenticated"] is False
    assert [(r["purpose"], r["type"], r["host"], r["relative_host"]) for r in body["records"]] == [
        ("dkim", "TXT", "km1._domainkey.doeinc.com", "km1._domainkey"),
        ("dkim", "TXT", "km2._domainkey.doeinc.com", "km2._domainkey"),
        ("return_path", "CNAME", "km.doeinc.com", "km"),
        ("dmarc", "TXT", "_dmarc.doeinc.com", "_dmarc"),
    ]
    values = [record["value"] for record in body["records"]]
    assert values[0].startswith("v=DKIM1; k=rsa; p=")
    assert values[0] != values[1]
    assert values[2:] == ["bounces.kartra.com", "v=DMARC1; p=none"]
    assert set(states(body).values()) == {"not_found"}
    assert set(body["spf"]) >= {
        "state",
        "record",
        "lookups",
        "void_lookups",
        "problems",
        "merged",
    }
    assert set(body["dmarc"]) >= {"state", "record", "policy", "found_at", "problems"}
    assert (body["spf"]["state"], body["dmarc"]["state"]) == ("not_found", "not_found")


def test_posting_it_again_answers_with_what_is_there(
    alices_program: Program, dns: DnsServer
) -> None:
    first = alices_program.post("/domains", DOMAIN).json
    again = alices_program.post("/domains", {"domain": "https://www.DoeInc.com/"})
    assert again.status_code == 200
    assert again.json["records"] == first["records"]


def test_a_check_finds_the_records(
    alices_program: Program, dns: DnsServer, installation: Installation
) -> None:
    alices_program.post("/domains", DOMAIN)
    publish_all(dns, show(installation, alices_program.account_id))
    dns.add("_dmarc.doeinc.com", "TXT", "v=DMARC1; p=quarantine; t=y; rua=mailto:d@doeinc.com")
    dns.add("doeinc.com", "TXT", "v=spf1 mx -all")
    dns.add("bounces.kartra.com", "TXT", "v=spf1 ip4:192.0.2.1 -all")
    answer = alices_program.post("/domains/doeinc.com/check", {})
    assert answer.status_code == 200
    assert answer.json["authenticated"] is True
    assert set(states(answer.json).values()) == {"found"}
    assert answer.json["dmarc"]["policy"] == "none"  # t=y lowers it by one (RFC 9989)
    assert answer.json["dmarc"]["found_at"] == "doeinc.com"
    assert answer.json["spf"]["record"] == "v=spf1 mx -all"
    assert answer.json["spf"]["lookups"] == 1
    assert "include:bounces.kartra.com" in answer.json["spf"]["merged"]
    assert alices_program.get("/domains/doeinc.com").json == answer.json


def test_a_wrong_record_is_named(
    alices_program: Program, dns: DnsServer, installation: Installation
) -> None:
    body = alices_program.post("/domains", DOMAIN).json
    value = body["records"][0]["value"]
    dns.add("km1._domainkey.doeinc.com.doeinc.com", "TXT", value)
    dns.add("km.doeinc.com", "CNAME", "mail.elsewhere.example")
    body = alices_program.post("/domains/doeinc.com/check", {}).json
    by_host = {record["host"]: record for record in body["records"]}
    assert by_host["km1._domainkey.doeinc.com"]["state"] == "not_found"
    assert by_host["km1._domainkey.doeinc.com"]["problem"]["code"] == "doubled_domain"
    assert by_host["km.doeinc.com"]["state"] == "wrong"
    assert by_host["km.doeinc.com"]["found"] == ["mail.elsewhere.example"]
    assert by_host["km.doeinc.com"]["problem"]["code"] == "other_target"


def test_without_dns_it_could_not_check(alices_program: Program, dns: DnsServer) -> None:
    dns.servfail(EVERY_NAME)
    body = alices_program.post("/domains", DOMAIN).json
    assert set(states(body).values()) == {"unreachable"}
    assert (body["spf"]["state"], body["dmarc"]["state"]) == ("unreachable", "unreachable")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("gmail.com", "free_provider"),
        ("co.uk", "public_suffix"),
        ("kartra.com", "platform_domain"),
        ("", "syntax"),
        ("doeinc", "not_a_domain"),
        ("192.0.2.1", "not_a_domain"),
        ("x\r\ny.com", "syntax"),
    ],
)
def test_what_is_no_domain_of_ones_own_is_refused(
    alices_program: Program, typed: str, code: str
) -> None:
    answer = alices_program.post("/domains", {"domain": typed})
    assert answer.status_code == 422
    assert answer.json["code"] == code
    assert answer.json["errors"][0]["pointer"] == "/domain"


def test_a_domain_in_another_script_is_one_domain(alices_program: Program, dns: DnsServer) -> None:
    assert alices_program.post("/domains", {"domain": "bücher.de"}).status_code == 201
    assert alices_program.post("/domains", {"domain": "xn--bcher-kva.de"}).status_code == 200
    answer = alices_program.get("/domains/bücher.de")
    assert answer.json["domain"] == "xn--bcher-kva.de"


def test_a_domain_that_is_there_by_itself_is_new_when_it_is_added(
    alices_program: Program, dns: DnsServer
) -> None:
    """R-DOMAIN: an address on it was saved at sign-up."""
    listed = alices_program.get("/domains").json["items"]
    assert [item["domain"] for item in listed] == ["doeinc.com"]
    assert alices_program.post("/domains", DOMAIN).status_code == 201
    assert alices_program.post("/domains", DOMAIN).status_code == 200
    assert len(alices_program.get("/domains").json["items"]) == 1


def test_the_list_comes_in_parts(alices_program: Program, db: Database, dns: DnsServer) -> None:
    forget_domains(db)
    for domain in ("a.com", "b.com", "c.com"):
        alices_program.post("/domains", {"domain": f"doe-{domain}"})
    first = alices_program.get("/domains?limit=2").json
    assert [item["domain"] for item in first["items"]] == ["doe-c.com", "doe-b.com"]
    rest = alices_program.get(f"/domains?limit=2&cursor={first['next']}").json
    assert [item["domain"] for item in rest["items"]] == ["doe-a.com"]
    assert rest["next"] is None


def test_nothing_of_it_is_visible_to_another_account(
    alices_program: Program, charlies_program: Program, dns: DnsServer
) -> None:
    """R-CLAIM: nothing of one account's domain is visible to another."""
    mine = alices_program.post("/domains", DOMAIN).json
    assert charlies_program.get("/domains/doeinc.com").status_code == 404
    assert charlies_program.post("/domains/doeinc.com/check", {}).status_code == 404
    theirs = charlies_program.get("/domains").json["items"]
    assert [item["domain"] for item in theirs] == ["yourcompany.com"]
    theirs = charlies_program.post("/domains", DOMAIN).json
    assert theirs["records"][0]["value"] != mine["records"][0]["value"]


def test_no_private_key_is_in_any_answer(alices_program: Program, dns: DnsServer) -> None:
    answer = alices_program.post("/domains", DOMAIN)
    assert "PRIVATE" not in answer.text
    assert "private" not in answer.text
    assert "sealed" not in answer.text
