"""The gateway, senders, placeholders and proofs of mailboxes."""
