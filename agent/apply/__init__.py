"""Makes the machine what the desired state says: small idempotent steps, each with a validator and a way back."""
