"""What the agent can tell a person: one sentence, and an exit code that scripts can use."""

OK = 0
NOT_APPLIED = 1
NOT_ENROLLED = 3
ALREADY_ENROLLED = 4
REFUSED = 5
WRONG_FINGERPRINT = 6
UNREACHABLE = 7
BUSY = 8
BROKEN = 9


class AgentError(Exception):
    """Something went wrong that a person can mend. ``str()`` is the sentence, ``exit_code`` what the command returns."""

    def __init__(self, sentence: str, exit_code: int = BROKEN) -> None:
        self.exit_code = exit_code
        super().__init__(sentence)


class UnreachableError(AgentError):
    """The gateway did not answer, or what answered is not the gateway that we trust. Try again later."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, UNREACHABLE)


class RefusedError(AgentError):
    """The gateway answered and said no: ``status`` of HTTP, its stable ``code``, ``retry_after`` seconds or None."""

    def __init__(self, sentence: str, status: int, code: str, retry_after: int | None = None) -> None:
        self.status = status
        self.code = code
        self.retry_after = retry_after
        super().__init__(sentence, REFUSED)


class OrderRefusedError(Exception):
    """An order or a roster is refused; ``rule`` is a stable word, ``str()`` the sentence. Nothing was done."""

    def __init__(self, rule: str, sentence: str) -> None:
        self.rule = rule
        super().__init__(sentence)
