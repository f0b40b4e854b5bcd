"""What anybody must be able to do with a page, looked at in the page as the browser laid it out."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import Page

_AUDIT: Final = r"""
() => {
  const wrong = [];
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden';
  };
  const name = (element) => (
    element.getAttribute('aria-label') || element.textContent || element.getAttribute('alt') || ''
  ).trim();
  if (!document.documentElement.lang) wrong.push('no language');
  if (!document.title.trim()) wrong.push('no title');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  let level = 0;
  for (const head of document.querySelectorAll('h1,h2,h3,h4,h5,h6')) {
    const now = Number(head.tagName[1]);
    if (now > level + 1) wrong.push('a heading leaves out a level: ' + head.textContent);
    level = now;
    if (!name(head)) wrong.push('an empty heading');
  }
  for (const tag of ['main', 'header', 'footer'])
    if (document.querySelectorAll(tag).length !== 1) wrong.push('not one ' + tag);
  for (const field of document.querySelectorAll('input:not([type=hidden]),select,textarea')) {
    if (!field.labels || !field.labels.length || !name(field.labels[0])) wrong.push('no label: ' + field.name);
    for (const id of (field.getAttribute('aria-describedby') || '').split(/\s+/).filter(Boolean))
      if (!document.getElementById(id)) wrong.push('described by nothing: ' + id);
  }
  for (const control of document.querySelectorAll('a[href],button'))
    if (!name(control)) wrong.push('a control without a name');
  for (const picture of document.querySelectorAll('img')) {
    if (!picture.hasAttribute('alt')) wrong.push('no alt');
    if (!picture.complete || !picture.naturalWidth) wrong.push('a picture that is not there: ' + picture.src);
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id twice');
  if (document.querySelector('[tabindex]:not([tabindex="-1"]):not([tabindex="0"])')) wrong.push('an order of its own');
  for (const button of document.querySelectorAll('button,.button,input')) {
    const box = button.getBoundingClientRect();
    if (box.height < 36 || box.width < 44) wrong.push('too small to hit: ' + name(button));
  }
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !shown(element)) continue;
    texts += 1;
    const ratio = contrast(parse(getComputedStyle(element).color), behind(element));
    if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${walk.currentNode.textContent.trim()}`);
  }
  for (const field of document.querySelectorAll('input')) {
    const ratio = contrast(parse(getComputedStyle(field).borderTopColor), behind(field.parentElement));
    if (ratio < 3) wrong.push(`border of a field ${ratio.toFixed(2)}`);
  }
  if (texts < 3) wrong.push('no text was looked at');
  return wrong;
}
"""
_WIDER: Final = """
() => {
  const room = document.documentElement.clientWidth;
  const out = [...document.body.querySelectorAll('*')]
    .filter((element) => !element.closest('.skip') && element.getBoundingClientRect().right > room + 0.5)
    .map((element) => element.tagName + '.' + element.className);
  return document.documentElement.scrollWidth > room ? ['the page', ...out] : out;
}
"""


def complaints(page: Page) -> list[str]:
    """What is wrong with a page: names, labels, headings, pictures, sizes, and the contrast of every text on it."""
    found: list[str] = page.evaluate(_AUDIT)
    return found


def sideways(page: Page) -> list[str]:
    """What stands out of the page to the right, so that one must scroll sideways."""
    found: list[str] = page.evaluate(_WIDER)
    return found


def enlarge_text(page: Page, percent: int) -> None:
    """Set the size of text as a reader's settings do."""
    page.evaluate(f"() => {{ document.documentElement.style.fontSize = '{percent}%' }}")


def focused(page: Page) -> dict[str, Any]:
    """What the keyboard is on: its tag, its text and whether a ring shows it."""
    found: dict[str, Any] = page.evaluate(
        """() => { const at = document.activeElement; const style = getComputedStyle(at);
        return {tag: at.tagName, text: (at.textContent || at.name || '').trim(), id: at.id,
                ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2}; }"""
    )
    return found
