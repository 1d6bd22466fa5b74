"""What is wrong with a message, in HL7 v2's words."""

# HL7 table 0357 (v2.5.1): message error condition codes
SEGMENT_SEQUENCE, REQUIRED, DATA_TYPE, TABLE_VALUE = "100", "101", "102", "103"
UNSUPPORTED_TYPE, UNSUPPORTED_EVENT, UNSUPPORTED_VERSION = "200", "201", "203"
UNKNOWN_KEY, APPLICATION_ERROR = "204", "207"


class Hl7Error(Exception):
    """A message that is not taken. `answer` AE: what it says is wrong; AR: it is not for us.

    `place`: segment and field (PID-3). `words` name the field and the remedy, never what the field holds: they go into
    acknowledgements and logs.
    """

    def __init__(self, place: str, words: str, code: str = APPLICATION_ERROR, answer: str = "AE") -> None:
        super().__init__(words)
        self.place, self.words, self.code, self.answer = place, words, code, answer
