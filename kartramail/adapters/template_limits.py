"""How much a template may be and do. All are counts: a template that passed once passes always."""

MAX_SOURCE = 300_000
"""Characters of a template. Gmail cuts a message at 102 kB."""

MAX_CODE = 20_000
"""Characters of code in a template: a thousand placeholders. Compiled, code takes up to two hundred
times its length, and a second for each hundred thousand."""

MAX_ITERATIONS = 10_000
MAX_LOOPED_CODE = 750_000
"""Iterations of all loops × characters of code: about half a second of a slow machine."""

MAX_VALUE = 200_000
"""Characters of one value."""

MAX_ITEMS = 1_000
"""Items of one list."""

MAX_WORK = 10_000_000
"""Characters that go through filters in one rendering, and that are read from variables."""

ITEM_WORK = 20
"""What one item of a list counts for when the list is read."""

MAX_HELD = 1_000_000
"""Characters in all names that a template assigns."""

MAX_BITS = 256
"""Of a whole number."""

MAX_DATE = 100
"""Characters of a date or of its format: the parser of dates is slow on long ones."""
