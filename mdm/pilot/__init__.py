"""The pilot: seven groups, 122 people, 81 service points and their devices, as a city would have entered them.

``data`` holds what is told; ``names``, ``places`` and ``devices`` make the rest of it the same way every time;
``service.load`` enters all of it through the use cases that everybody else uses. Nobody gets a password: accounts are
opened by one-time links.
"""
