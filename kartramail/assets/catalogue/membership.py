"""Memberships: joining, and posts that open one after the other."""

from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.assets.variables import Variable

MEMBERSHIP = Kind(
    "membership",
    "Membership",
    "Memberships",
    "membership",
    "The inner circle",
    (
        NotificationType(
            "membership.welcome",
            "Welcome to the membership",
            "When somebody becomes a member",
            (
                Variable("level", "The level that they joined at", "Gold"),
                Variable("link", "Where members sign in", "https://example.com/members"),
            ),
        ),
        NotificationType(
            "membership.post_unlocked",
            "New post unlocked",
            "When a post opens for a member",
            (
                Variable("post_title", "The title of the post", "Five questions to begin with"),
                Variable("summary", "What it is about", "A short list to work through today."),
                Variable("link", "Where to read it", "https://example.com/members/five"),
            ),
        ),
    ),
)
