"""A person who uses the keyboard alone: where the focus is, and whether it can be seen."""

from __future__ import annotations

from playwright.sync_api import Frame, Page

_FARTHEST = 60
_NAME = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "";
  const labels = [...(at.labels || [])].map((label) => label.innerText).join(" ");
  const name = at.getAttribute("aria-label") || labels || at.innerText || "";
  return name.trim().replace(/\\s+/g, " ");
}"""
#: The element itself or what is drawn around it (a card, a box) wears the ring.
_IS_SEEN = """() => {
  let at = document.activeElement;
  for (let step = 0; at && step < 3; step += 1, at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) return true;
  }
  return false;
}"""


class Keyboard:
    """The keyboard of one window, with the focus wherever it is, frames included."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, key: str, times: int = 1) -> None:
        """Press a key."""
        for _ in range(times):
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type into what has the focus."""
        self.page.keyboard.type(text)

    def focused(self) -> str:
        """The name of what has the focus, as a screen reader begins to say it."""
        name: str = self._frame().evaluate(_NAME)
        return name

    def go_to(self, name: str, key: str = "Tab") -> None:
        """Press Tab until something whose name begins with `name` has a focus that is seen."""
        passed: list[str] = []
        for _ in range(_FARTHEST):
            self.press(key)
            passed.append(self.focused())
            if passed[-1]:
                assert self._frame().evaluate(_IS_SEEN), f"no ring around {passed[-1]!r}"
            if passed[-1].startswith(name):
                return
        raise AssertionError(f"{name!r} is not reached: {passed}")

    def _frame(self) -> Frame:
        frame = self.page.main_frame
        while True:
            held = frame.evaluate_handle("() => document.activeElement").as_element()
            inner = held.content_frame() if held else None
            if inner is None:
                return frame
            frame = inner
