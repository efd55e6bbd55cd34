"""Rules over facts and desired state, findings with grace and mend, exemptions."""
