"""The companies that serve people's DNS zones, known by their name servers, and their ways.

`where` goes by the words of the companies' own menus. A new company is an entry at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class DnsHost:
    """A DNS company. `servers` are patterns of its name servers' names, `where` says what to click.

    `is_host_relative` is whether the host is typed without the zone; `hint` names a trap.
    """

    name: str
    servers: tuple[str, ...]
    where: str
    is_host_relative: bool = True
    hint: str | None = None


def find_dns_host(name_servers: Sequence[str]) -> DnsHost | None:
    """The company that most of these name servers belong to, None where none is known."""
    names = [name.lower().rstrip(".") for name in name_servers]
    best = max(DNS_HOSTS, key=lambda each: _count(each, names))
    return best if _count(best, names) else None


def _count(company: DnsHost, names: Sequence[str]) -> int:
    return sum(any(fnmatchcase(name, each) for each in company.servers) for name in names)


_ADDS_DOMAIN = "It adds your domain to the host by itself: type the host without it."
_FINAL_DOT = "Type the target of a CNAME with a dot at its end, or your domain is added to it."
_QUOTES = (
    "It wants the value of a TXT record in quotation marks, and a long one in parts of at most 255 "
    "characters, each in its own marks, as in the zone file."
)

CLOUDFLARE = DnsHost(
    "Cloudflare",
    ("*.ns.cloudflare.com", "*.foundationdns.com", "*.foundationdns.net", "*.foundationdns.org"),
    "Choose your domain, then DNS, Records, Add record.",
    hint="For a CNAME, switch the proxy off: the cloud must be grey and say “DNS only”.",
)

DNS_HOSTS = (
    CLOUDFLARE,
    DnsHost(
        "GoDaddy",
        ("*.domaincontrol.com",),
        "Open Domain Portfolio, choose your domain, then DNS, Add New Record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Namecheap",
        ("*.registrar-servers.com",),
        "Open Domain List, press Manage beside your domain, then Advanced DNS, Add New Record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Namecheap hosting",
        ("*.namecheaphosting.com", "*.web-hosting.com"),
        "Open cPanel of your hosting, then Zone Editor, Manage beside your domain, Add Record.",
    ),
    DnsHost(
        "Amazon Route 53",
        ("*.awsdns-*",),
        "Open Hosted zones, choose your domain, then Create record.",
        hint=_QUOTES,
    ),
    DnsHost(
        "Google",
        ("*.googledomains.com",),
        "In Google Cloud: Network services, Cloud DNS, your zone, Add standard. A domain that was "
        "bought at Google Domains is at Squarespace now: Domains, your domain, DNS, DNS Settings, "
        "Add record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "IONOS",
        ("*.ui-dns.com", "*.ui-dns.de", "*.ui-dns.org", "*.ui-dns.biz"),
        "Open Menu, Domains & SSL, press the gear beside your domain, then DNS, Add record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "OVHcloud",
        ("*.ovh.net", "*.ovh.ca", "*.anycast.me"),
        "Open Web Cloud, Domain names, your domain, then DNS zone, Add an entry.",
        hint=_FINAL_DOT,
    ),
    DnsHost(
        "Squarespace",
        ("*.squarespacedns.com", "*.squarespace-dns.com"),
        "Open Domains, choose your domain, then DNS, DNS Settings, Custom records, Add record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Wix",
        ("*.wixdns.net",),
        "Open Domains, press the three dots beside your domain, then Manage DNS Records, Add "
        "Record under CNAME or TXT.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Hostinger",
        ("*.dns-parking.com", "*.hostinger.com"),
        "Open Domains, press Manage beside your domain, then DNS / Nameservers, Add record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Gandi",
        ("*.gandi.net",),
        "Open Domain, choose your domain, then DNS Records, Add record.",
        hint=_FINAL_DOT,
    ),
    DnsHost(
        "DigitalOcean",
        ("ns?.digitalocean.com",),
        "Open Networking, Domains, choose your domain and the type of record, then Create Record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Hetzner",
        (
            "*.ns.hetzner.com",
            "*.ns.hetzner.de",
            "*.first-ns.de",
            "*.second-ns.de",
            "*.second-ns.com",
        ),
        "Open the DNS console, choose your zone, then Records, Add record.",
        hint=_FINAL_DOT,
    ),
    DnsHost(
        "STRATO",
        ("*.rzone.de",),
        "Open Domains, Domainverwaltung, press the gear beside your domain, then DNS, and "
        "verwalten beside TXT- und CNAME-Records.",
        hint=_FINAL_DOT,
    ),
    DnsHost(
        "Network Solutions",
        ("*.worldnic.com",),
        "Open Domains, choose your domain, then Advanced Tools, Manage Advanced DNS Records, Add "
        "Record.",
    ),
    DnsHost(
        "Bluehost",
        ("*.bluehost.com",),
        "Open Domains, choose your domain, then DNS, Manage Advanced DNS Records, Add Record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "DNSimple",
        ("*.dnsimple.com", "*.dnsimple-edge.net", "*.dnsimple-edge.org", "*.dnsimple-edge.io"),
        "Choose your domain, then DNS, Manage, Add record.",
    ),
    DnsHost(
        "Porkbun",
        ("*.ns.porkbun.com", "*.porkbun.com"),
        "Open Domain Management, press DNS beside your domain, then Add record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Name.com",
        ("*.name.com",),
        "Open My Domains, choose your domain, then Manage DNS Records, Add Record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Shopify",
        ("*.shopify.com",),
        "Open Settings, Domains, choose your domain, then Domain settings, Edit DNS settings, Add "
        "custom record.",
    ),
    DnsHost(
        "Vercel",
        ("*.vercel-dns.com",),
        "Open Domains, choose your domain, then DNS Records, Add.",
    ),
    DnsHost(
        "NS1, which serves Netlify and Squarespace",
        ("*.nsone.net",),
        "With Netlify, open Domain management, your domain, DNS records, Add new record. With "
        "Squarespace, open Domains, your domain, DNS, DNS Settings, Add record.",
    ),
    DnsHost(
        "Azure DNS",
        ("*.azure-dns.com", "*.azure-dns.net", "*.azure-dns.org", "*.azure-dns.info"),
        "Open DNS zones, choose your zone, then DNS Management, Recordsets, Add.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "one.com",
        ("*.one.com",),
        "Open Advanced settings, DNS settings, DNS records, Create new record.",
    ),
    DnsHost(
        "Infomaniak",
        ("*.infomaniak.ch", "*.infomaniak.com"),
        "Open Domain, choose your domain, then DNS zone, Add a record.",
    ),
    DnsHost(
        "Combell",
        ("*.combell.net", "*.combell.com"),
        "Open Domain names, press Manage beside your domain, then DNS & Forwarding, Add record.",
    ),
    DnsHost(
        "TransIP",
        ("*.transip.net", "*.transip.nl", "*.transip.eu"),
        "Open Domain & Hosting, choose your domain, then DNS records, Add record.",
        hint=_FINAL_DOT,
    ),
    DnsHost(
        "Aruba",
        ("*.technorail.com", "*.aruba.it", "*.arubadns.net", "*.arubadns.cz"),
        "Open the control panel of your domain, then Gestione DNS e Name Server, Gestione DNS, "
        "Aggiungi record.",
    ),
    DnsHost(
        "Register.it",
        ("*.register.it",),
        "Open Domini, press Gestisci beside your domain, then Configurazione DNS, Configurazione "
        "avanzata, Aggiungi.",
        hint=_FINAL_DOT,
    ),
    DnsHost(
        "Loopia",
        ("*.loopia.se",),
        "Open Domain names, choose your domain, add the host as a subdomain, then DNS editor, Add "
        "record.",
        hint="The host is a subdomain there: make it first, then add the record to it.",
    ),
    DnsHost(
        "Simply.com",
        ("*.simply.com",),
        "Choose your domain, then DNS, Add record.",
    ),
    DnsHost(
        "DreamHost",
        ("*.dreamhost.com",),
        "Open Websites, Manage Websites, Manage beside your domain, then DNS Settings, Add Record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "SiteGround",
        ("*.siteground.net", "*.siteground.com"),
        "Open Site Tools of your domain, then Domain, DNS Zone Editor.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "WordPress.com",
        ("*.wordpress.com",),
        "Open Upgrades, Domains, choose your domain, then DNS records, Manage, Add a record.",
    ),
    DnsHost(
        "Hover",
        ("*.hover.com",),
        "Choose your domain, then DNS, Add a record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "Akamai (Linode)",
        ("*.linode.com",),
        "Open Domains, choose your domain, then Add a TXT Record or Add a CNAME Record.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "united-domains",
        ("*.udag.de", "*.udag.net", "*.udag.org"),
        "Open Domain-Portfolio, choose your domain, then DNS-Einstellungen.",
        hint=_ADDS_DOMAIN,
    ),
    DnsHost(
        "ALL-INKL.COM",
        ("*.kasserver.com",),
        "Open KAS, then Tools, DNS-Einstellungen, your domain, neuen DNS-Eintrag erstellen.",
        hint=_ADDS_DOMAIN,
    ),
)
