"""Changing the roster of approvers: somebody proposes, people of the old and of the new one sign, the signer seals."""
