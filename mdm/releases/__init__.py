"""What the agent may install: releases that are signed, rotated and noticed when they are stolen or old."""
