// The text of a manifest in an editor: colors, line numbers, problems beside their lines, what a field means, changes.
// The textarea stays what the form sends: without this script it is the editor. See docs/decisions/0027.

const MAX_COMPARED = 1500; // lines that differ on either side; beyond that, all of them count as changed

function pathAt(lines, row) {
  const keys = [];
  let indent = Infinity;
  for (let at = row; at >= 0; at -= 1) {
    const match = /^(\s*(?:- +)*)("?)([\w./-]+)\2\s*:/.exec(lines[at]);
    if (match && match[1].length < indent) {
      indent = match[1].replace(/- +$/, "").length === match[1].length ? match[1].length : match[1].length - 1;
      keys.unshift(match[3]);
    }
    if (indent === 0) break;
  }
  return keys;
}

function meaningOf(keys, meanings) {
  for (let end = keys.length; end > 0; end -= 1) {
    const path = keys.slice(0, end).join(".");
    if (meanings.has(path)) return { path, text: meanings.get(path) };
  }
  return null;
}

// The fields that fit in a line: those below the field that it is indented under. [name, meaning, has fields of its own]
export function fieldsAt(lines, row, meanings) {
  const indent = /^\s*(?:- +)*/.exec(lines[row])[0];
  const parent = pathAt([...lines.slice(0, row), `${indent}x:`], row).slice(0, -1);
  const start = parent.length ? `${parent.join(".")}.` : "";
  const found = new Map();
  for (const [path, meaning] of meanings) {
    if (!path.startsWith(start)) continue;
    const [name, ...inner] = path.slice(start.length).split(".");
    const known = found.get(name) ?? { name, meaning: "", isParent: false };
    found.set(name, inner.length ? { ...known, isParent: true } : { ...known, meaning });
  }
  return [...found.values()];
}

function completerOf(meanings) {
  return {
    getCompletions(_editor, session, place, _prefix, answer) {
      const line = session.getLine(place.row).slice(0, place.column);
      if (!/^\s*(?:- +)*[\w-]*$/.test(line)) return answer(null, []); // a value is being typed
      const lines = [...session.getLines(0, place.row - 1), line];
      return answer(null, fieldsAt(lines, place.row, meanings).map(({ name, meaning, isParent }) => (
        { caption: name, value: isParent ? `${name}:` : `${name}: `, docText: meaning, meta: isParent ? "…" : "", score: 1 }
      )));
    },
  };
}

// The lines that differ, by their longest common subsequence: [sign, line] with "-" and "+".
export function changedLines(before, after) {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  const shorter = Math.min(before.length, after.length) - start;
  while (end < shorter && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const old = before.slice(start, before.length - end);
  const now = after.slice(start, after.length - end);
  if (old.length > MAX_COMPARED || now.length > MAX_COMPARED) return [...old.map((line) => ["-", line]), ...now.map((line) => ["+", line])];
  const width = now.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = old[i] === now[j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const found = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
      found.push(["-", old[i]]);
      i += 1;
    } else {
      found.push(["+", now[j]]);
      j += 1;
    }
  }
  return found;
}

function showChanges(place, original, text) {
  const changes = changedLines(original.split("\n"), text.split("\n"));
  place.querySelector("[data-count]").textContent = String(changes.length);
  place.querySelector("[data-lines]").replaceChildren(...changes.flatMap(([sign, line]) => {
    const part = document.createElement("span");
    part.className = sign === "-" ? "was" : "becomes";
    part.textContent = `${sign} ${line}`;
    return [part, "\n"];
  }));
}

function enhance(textarea) {
  textarea.dataset.yamlEditor = "on";
  const panel = textarea.closest(".panel");
  const host = document.createElement("div");
  host.className = "yaml-editor";
  textarea.before(host);
  const { ace } = window;
  ace.config.set("useStrictCSP", true);
  ace.config.setMessages({ "text-input.aria-label": textarea.dataset.cursor }, {});
  const editor = ace.edit(host, {
    theme: { cssClass: "ace-sluice", cssText: "", isDark: false },
    value: textarea.value,
    minLines: 18,
    maxLines: 46,
    fontSize: 13,
    tabSize: 2,
    useSoftTabs: true,
    readOnly: textarea.readOnly,
    showPrintMargin: false,
  });
  editor.session.setOption("useWorker", false);
  editor.session.setMode("ace/mode/yaml");
  // Tab leaves, as everywhere else; and nothing is loaded that is not on the page.
  for (const key of ["Tab", "Shift-Tab"]) editor.commands.bindKey(key, null);
  for (const name of ["showSettingsMenu", "openCommandPalette", "openCommandPallete"]) editor.commands.removeCommand(name);
  editor.commands.bindKey("Ctrl-]|Command-]", "blockindent");
  editor.commands.bindKey("Ctrl-[|Command-[", "blockoutdent");
  const label = panel.querySelector(`label[for="${textarea.id}"]`);
  editor.setOption("textInputAriaLabel", label?.textContent ?? "YAML");
  editor.textInput.setAriaOptions({ setLabel: true });
  const input = editor.textInput.getElement();
  input.id = `${textarea.id}-editor`;
  label?.setAttribute("for", input.id);
  textarea.classList.add("visually-hidden");
  textarea.tabIndex = -1;
  textarea.setAttribute("aria-hidden", "true");

  const meanings = new Map([...panel.querySelectorAll("[data-field]")].map((one) => [one.dataset.field, one.nextElementSibling.textContent]));
  ace.require("ace/ext/language_tools"); // adds the option; the popup opens when it is asked for
  editor.setOptions({ enableBasicAutocompletion: [completerOf(meanings)], enableLiveAutocompletion: false });
  const hint = panel.querySelector("[data-yaml-hint]");
  const changes = panel.querySelector("[data-yaml-changes]");
  const original = panel.querySelector("template[data-yaml-original]")?.content.textContent ?? textarea.defaultValue;
  const help = panel.querySelector("[data-yaml-help]");
  for (const part of [hint, changes, help]) part?.removeAttribute("hidden");

  const tell = () => {
    const found = meaningOf(pathAt(editor.session.getLines(0, editor.session.getLength()), editor.getCursorPosition().row), meanings);
    hint.textContent = found ? `${found.path}: ${found.text}` : "\u00a0";
  };
  let waiting = 0;
  editor.session.on("change", () => {
    textarea.value = editor.getValue();
    textarea.form?.dispatchEvent(new Event("input", { bubbles: true }));
    editor.session.clearAnnotations();
    clearTimeout(waiting);
    if (changes) waiting = setTimeout(() => showChanges(changes, original, textarea.value), 150);
  });
  editor.selection.on("changeCursor", tell);
  textarea.addEventListener("input", (event) => {
    if (event.target === textarea && editor.getValue() !== textarea.value) editor.setValue(textarea.value, -1);
  });
  if (changes) showChanges(changes, original, textarea.value);
  tell();
  const line = Number(textarea.dataset.line);
  if (line) {
    const text = panel.querySelector(".problem")?.textContent.trim() ?? "";
    editor.session.setAnnotations([{ row: line - 1, column: 0, text, type: "error" }]);
    editor.gotoLine(line, 0, false);
    editor.focus();
  }
}

function enhanceAll() {
  if (!window.ace) return;
  for (const textarea of document.querySelectorAll("textarea[data-yaml-editor='']")) enhance(textarea);
}

document.addEventListener("htmx:after:swap", enhanceAll);
enhanceAll();
