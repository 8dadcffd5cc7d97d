"""How a program fires an event of one asset: a call to copy (R-EVENT). Pure."""

import json
from datetime import datetime, timedelta
from typing import Any

from kartramail.assets.notification_types import NotificationType

_MOST_VARIABLES = 3
_WHEN = frozenset({"starts_at", "starts_at_iso"})


def example_call(
    one: NotificationType, shown_asset_id: str, base_url: str, moment: datetime
) -> str:
    """A line of shell for this type; `moment` is now, in the time zone of the account."""
    body: dict[str, Any] = {
        "asset_id": shown_asset_id,
        "event": one.name,
        "contact": {"email": "jane@example.net", "first_name": "Jane"},
    }
    if one.reminder or one.cancels:
        body["key"] = "booking-1042"
    if one.reminder:
        start = (moment + timedelta(days=7)).replace(hour=14, minute=0, second=0, microsecond=0)
        body["starts_at"] = start.isoformat()
    examples = [v for v in one.variables if v.name not in _WHEN and isinstance(v.example, str)]
    if examples:
        body["variables"] = {v.name: v.example for v in examples[:_MOST_VARIABLES]}
    text = json.dumps(body, indent=2, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl {base_url}/api/v1/events \\\n"
        '  -H "Authorization: Bearer $KARTRAMAIL_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -H "Idempotency-Key: 1042" \\\n'
        f"  -d '{text}'"
    )
