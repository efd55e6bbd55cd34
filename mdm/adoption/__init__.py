"""How far the city is: who was invited, who is reminded, who is missing."""
