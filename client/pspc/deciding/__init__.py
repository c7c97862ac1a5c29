"""Decides which of several copies to keep, does what was decided, and takes it back.

    groups ──parting──▶ copies ──keeping──▶ proposals ──plans──▶ a file that a person edits
             (shots)                                                        │
    pictures ◀── undoing ◀── journal ◀── acting ◀───────────────────────────┘

Only `acting` and `undoing` touch pictures, and each act stands in the journal first. A picture is
moved to the trash, or replaced by a hard link to a file with the same bytes; nothing is deleted.
"""
