"""Stop sequences, applied to a text that arrives in pieces."""


class StopFilter:
    """Passes text on until a stop sequence is complete, also when it is split over pieces.

    Of several, the one that is complete first counts, so that the cut does not depend on how the text arrives.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held = ""
        self.is_stopped = False

    def feed(self, text: str) -> str:
        """The part of what has arrived that can be shown now."""
        if self.is_stopped or not self._stops:
            return "" if self.is_stopped else text
        self._held += text
        found = [(start + len(stop), start) for stop in self._stops if (start := self._held.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            shown, self._held = self._held[: min(found)[1]], ""
            return shown
        keep = max(self._overlap(stop) for stop in self._stops)
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def rest(self) -> str:
        """What was held back in case it began a stop sequence, now that nothing follows."""
        held, self._held = self._held, ""
        return held

    def _overlap(self, stop: str) -> int:
        """How many characters at the end of the held text may be the beginning of `stop`."""
        most = min(len(stop) - 1, len(self._held))
        return next((size for size in range(most, 0, -1) if self._held.endswith(stop[:size])), 0)
