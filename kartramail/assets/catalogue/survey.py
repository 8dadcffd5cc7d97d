"""Surveys: thanks for the answers."""

from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.assets.variables import Variable

SURVEY = Kind(
    "survey",
    "Survey",
    "Surveys",
    "survey",
    "How was the course?",
    (
        NotificationType(
            "survey.completed",
            "Survey confirmation",
            "When somebody has answered all questions",
            (
                Variable("result", "What came of it, in a sentence", "You are all set."),
                Variable("link", "Where to go on", "https://example.com/results"),
            ),
        ),
    ),
)
