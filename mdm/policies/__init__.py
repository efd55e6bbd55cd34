"""Intent: the catalogue of settings, policies, assignments, and the desired state per cohort."""
