"""What is read off a page as the browser lays it out: contrast, cut words, what covers the focus. For `evaluate`."""

from __future__ import annotations

# Colors as drawn (any notation, with what shines through) and their contrast as WCAG counts it: 1 to 21.
COLOURS = """
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const canvas = pixel.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (above, below) => {
    const share = above[3] / 255;
    return [0, 1, 2].map((part) => above[part] * share + below[part] * (1 - share));
  };
  const ground = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      layers.push(colour);
      if (colour[3] === 255) break;
    }
    return layers.reverse().reduce((below, above) => over(above, below), [255, 255, 255]);
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [bright, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (bright + 0.05) / (dark + 0.05);
  };
  const told = (element) => element.cloneNode(false).outerHTML.slice(0, 140);
"""

# Fields whose edge has less than 3:1 against what is around them (WCAG 1.4.11).
FAINT_FIELDS = f"""() => {{
  {COLOURS}
  const faint = [];
  const isSeen = (field) => field.checkVisibility({{ opacityProperty: true }}) && field.offsetWidth > 1;
  for (const field of document.querySelectorAll("input, select, textarea")) {{
    if (["hidden", "range", "color"].includes(field.type) || field.disabled || !isSeen(field)) continue;
    const behind = ground(field.parentElement);
    const style = getComputedStyle(field);
    const edge = parseFloat(style.borderTopWidth) > 0 ? over(rgba(style.borderTopColor), behind) : behind;
    const best = Math.max(contrast(edge, behind), contrast(ground(field), behind));
    if (best < 3) faint.push(`${{best.toFixed(2)}}:1 ${{told(field)}}`);
  }}
  return faint.slice(0, 5);
}}"""

# Fields that take up room and are not painted. Rows of a form keep the place of a field that their kind does not have.
UNSEEN_FIELDS = """() => [...document.querySelectorAll(":is(input, select, textarea, button):not(.row-of *)")]
  .filter((field) => field.checkVisibility() && !field.checkVisibility({ visibilityProperty: true }))
  .map((field) => field.cloneNode(false).outerHTML.slice(0, 140)).slice(0, 5)"""

# What has the focus: whether something lies over it, and whether its ring is seen (WCAG 2.4.11, 2.4.7, 1.4.11).
FOCUS = f"""() => {{
  {COLOURS}
  if (!document.activeElement || document.activeElement === document.body) return null;
  const element = document.activeElement.closest(".yaml-editor") ?? document.activeElement; // its own field is not seen
  const found = {{ key: told(element), problems: [] }};
  const style = getComputedStyle(element);
  const ring = parseFloat(style.outlineWidth);
  if (style.outlineStyle === "none" || ring < 2) found.problems.push(`no ring: ${{style.outline}}`);
  const behind = ground(element.parentElement);
  const drawn = contrast(over(rgba(style.outlineColor), behind), behind);
  if (drawn < 3) found.problems.push(`a ring of ${{drawn.toFixed(2)}}:1`);
  const box = element.getBoundingClientRect();
  const lies = (top) => {{ // over the element, rather than beside it
    for (let node = top; node && !node.contains(element); node = node.parentElement) {{
      if (element.contains(node)) return false;
      if (["sticky", "fixed", "absolute"].includes(getComputedStyle(node).position)) return true;
    }}
    return false;
  }};
  const parts = [[0.5, 0.5], [0.02, 0.1], [0.98, 0.1], [0.02, 0.9], [0.98, 0.9]];
  const hidden = parts.filter(([across, down]) => {{
    const [x, y] = [box.left + box.width * across, box.top + box.height * down];
    if (y < 0 || y > innerHeight || x < 0 || x > innerWidth) return box.height < innerHeight && box.width < innerWidth;
    const top = document.elementFromPoint(x, y);
    return top && lies(top);
  }});
  const fits = box.height < innerHeight / 2; // what is taller cannot be seen as a whole between bar and foot
  const edge = document.querySelector(".bar")?.getBoundingClientRect();
  if (edge && getComputedStyle(document.querySelector(".bar")).position === "sticky" && !element.closest(".bar, .skip")
      && fits && box.top < edge.bottom - 1 && box.bottom > edge.top) found.problems.push("under the bar");
  if (hidden.length > (fits ? 0 : 4)) found.problems.push(`${{hidden.length}} of 5 points covered or out of view`);
  return found;
}}"""

# Words of tables that continue on another line. Values may: they are any text, and longer ones than a column is wide.
CUT_WORDS = """() => {
  const cut = [];
  for (const cell of document.querySelectorAll("main :is(td, th):not(:has(pre))")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      if (texts.currentNode.parentElement.closest(".was, .becomes")) continue;
      for (const word of texts.currentNode.data.matchAll(/\\b\\w{2,15}\\b/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (lines.size > 1) cut.push(word[0]);
      }
    }
  }
  return cut.slice(0, 5);
}"""

# Lines that end at the edge of their box without an ellipsis: nothing tells that there is more. A browser clips the
# first box of a line (inline-block) and draws no ellipsis in it.
CLIPPED = """() => {
  const clipped = [];
  for (const box of document.querySelectorAll("main *")) {
    const style = getComputedStyle(box);
    if (style.overflowX !== "hidden" || style.whiteSpace !== "nowrap" || !box.checkVisibility()) continue;
    if (box.scrollWidth <= box.clientWidth + 1 || box.clientWidth < 2) continue;
    const first = [...box.childNodes].find((node) => node.nodeType === 1 || node.data?.trim());
    const isBox = first?.nodeType === 1 && getComputedStyle(first).display.startsWith("inline-")
      && first.getBoundingClientRect().right > box.getBoundingClientRect().right;
    if (style.textOverflow !== "ellipsis" || isBox) clipped.push(box.textContent.trim().slice(0, 60));
  }
  return clipped.slice(0, 5);
}"""
