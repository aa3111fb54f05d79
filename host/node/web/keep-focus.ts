/**
 * The focus stays where it was while live updates draw the page anew: an element that was moved gets it back, and in place of
 * one that was removed the content gets it. It does not care for dialogs: those return the focus themselves.
 */

/** Until the end of the page. */
export function keepFocus(): void {
  let last: Element | undefined;
  addEventListener("focusin", ({ target }) => {
    last = target instanceof Element ? target : undefined;
  });
  // A click beside everything takes the focus away on purpose.
  addEventListener("pointerdown", () => (last = undefined), { capture: true });
  new MutationObserver(() => {
    if (last === undefined || document.activeElement !== document.body) return;
    const back = last.isConnected ? last : document.getElementById("main");
    if (back instanceof HTMLElement || back instanceof SVGElement) back.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });
}
