"""Google's discovery document of the Android Management API as data, and what is checked against it."""
