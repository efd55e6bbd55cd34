"""Apple's own facts about commands, payloads, declarations and status items, as data with a version."""
