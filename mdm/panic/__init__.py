"""The panic button against aggression: raised, shown, acknowledged, closed with a report."""
