"""What every process needs to be looked after: logs, figures, health, the parent's end. Owns no table."""
