"""Where DMARC records are looked for, and whose domain is whose (RFC 9989 §4.10)."""

from collections.abc import Mapping

from kartramail.rules.dmarc_record import DmarcRecord

MOST_QUERIES = 8
"""How many names one walk asks at most (RFC 9989 §4.10)."""


def walk_names(domain: str) -> tuple[str, ...]:
    """The domains whose `_dmarc` record is asked for, the longest name first, at most eight.

    A name of more than eight labels is followed by the one of its last seven.
    """
    labels = domain.rstrip(".").split(".")
    parents = labels[1:][-(MOST_QUERIES - 1) :]
    return (
        ".".join(labels),
        *(".".join(parents[start:]) for start in range(len(parents))),
    )


def ends_walk(record: DmarcRecord) -> bool:
    """Whether nothing above this record counts any more: it says where the organization begins."""
    return record.psd in ("y", "n")


def organization_of(domain: str, found: Mapping[str, DmarcRecord]) -> str:
    """The organizational domain, by what the walk from `domain` found (RFC 9989 §4.10.2).

    `found` holds the records by the domain whose they are. Without any, it is `domain` itself.
    """
    names = sorted((name for name in found), key=lambda name: -name.count("."))
    for name in names:
        psd = found[name].psd
        if psd == "n":
            return name
        if psd == "y":
            return _one_label_longer(domain, name)
    return names[-1] if names else domain


def governing_domain(domain: str, found: Mapping[str, DmarcRecord]) -> str | None:
    """Whose record holds for mail from `domain`: its own, its organization's, or the suffix's."""
    for name in (domain, organization_of(domain, found)):
        if name in found:
            return name
    return next((name for name, record in found.items() if record.psd == "y"), None)


def _one_label_longer(domain: str, suffix: str) -> str:
    return ".".join(domain.split(".")[-(suffix.count(".") + 2) :])
