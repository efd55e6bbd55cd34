"""Cases of "what if ...?": lost, stolen, broken, leaver. Each is a guided flow with steps, deadlines and documents."""
