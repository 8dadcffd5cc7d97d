"""The DNS companies, known by their name servers."""

import pytest

from kartramail.domains.dns_hosts import DNS_HOSTS, DnsHost, find_dns_host


@pytest.mark.parametrize(
    ("servers", "name"),
    [
        (["kim.ns.cloudflare.com", "rob.ns.cloudflare.com"], "Cloudflare"),
        (["ns11.domaincontrol.com", "ns12.domaincontrol.com"], "GoDaddy"),
        (["dns1.registrar-servers.com"], "Namecheap"),
        (["ns-1536.awsdns-00.co.uk", "ns-0.awsdns-00.com"], "Amazon Route 53"),
        (["ns-cloud-e1.googledomains.com"], "Google"),
        (["ns1045.ui-dns.biz", "ns1045.ui-dns.org"], "IONOS"),
        (["dns10.ovh.net", "ns10.ovh.net"], "OVHcloud"),
        (["ns01.squarespacedns.com"], "Squarespace"),
        (["ns4.wixdns.net"], "Wix"),
        (["ns1.dns-parking.com"], "Hostinger"),
        (["ns-12-a.gandi.net"], "Gandi"),
        (["NS1.DigitalOcean.com."], "DigitalOcean"),
        (["hydrogen.ns.hetzner.com", "helium.ns.hetzner.de"], "Hetzner"),
        (["docks06.rzone.de"], "STRATO"),
        (["ns17.worldnic.com"], "Network Solutions"),
        (["ns1.bluehost.com"], "Bluehost"),
        (["ns1.dnsimple.com"], "DNSimple"),
        (["curitiba.ns.porkbun.com"], "Porkbun"),
        (["ns1abc.name.com"], "Name.com"),
        (["ns1.vercel-dns.com"], "Vercel"),
        (["ns1-01.azure-dns.com", "ns2-01.azure-dns.net"], "Azure DNS"),
        (["ns01.one.com"], "one.com"),
        (["nsany1.infomaniak.com"], "Infomaniak"),
        (["ns3.combell.net"], "Combell"),
        (["ns0.transip.net"], "TransIP"),
        (["dns.technorail.com"], "Aruba"),
        (["ns1.register.it"], "Register.it"),
        (["ns1.loopia.se"], "Loopia"),
        (["ns1.simply.com"], "Simply.com"),
    ],
)
def test_it_knows_a_company_by_its_name_servers(servers: list[str], name: str) -> None:
    company = find_dns_host(servers)
    assert company is not None
    assert company.name == name


@pytest.mark.parametrize(
    "servers", [[], ["ns1.doeinc.com"], ["ns1.cloudflare.com.evil.test"], ["wixdns.net"], [""]]
)
def test_it_knows_no_others(servers: list[str]) -> None:
    assert find_dns_host(servers) is None


def test_between_two_companies_the_one_with_more_servers_counts() -> None:
    servers = ["ns1.loopia.se", "kim.ns.cloudflare.com", "rob.ns.cloudflare.com"]
    company = find_dns_host(servers)
    assert company is not None
    assert company.name == "Cloudflare"


@pytest.mark.parametrize("company", DNS_HOSTS, ids=lambda each: str(each.name))
def test_every_entry_is_whole(company: DnsHost) -> None:
    assert company.servers
    assert all(pattern == pattern.lower() for pattern in company.servers)
    for sentence in filter(None, (company.where, company.hint)):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "!" not in sentence


def test_no_two_entries_have_a_name_or_a_pattern_in_common() -> None:
    names = [each.name for each in DNS_HOSTS]
    patterns = [pattern for each in DNS_HOSTS for pattern in each.servers]
    assert len(set(names)) == len(names)
    assert len(set(patterns)) == len(patterns)


def test_the_trap_of_cloudflare_is_named() -> None:
    company = find_dns_host(["kim.ns.cloudflare.com"])
    assert company is not None
    assert "DNS only" in (company.hint or "")
