"""Why a file is not read at all."""


class NotACaptureError(Exception):
    """The file is neither pcap nor pcapng, or its links are of a kind that is not understood; ``code`` says which."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
