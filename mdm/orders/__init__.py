"""What cannot be undone: wipe. Asked by one, approved by another, signed by the signer, proved by the agent."""
