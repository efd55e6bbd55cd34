"""The signer as a neighbour: the messages on its socket and the client that every other process uses."""
