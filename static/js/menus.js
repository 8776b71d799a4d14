// One menu at a time, closed by a click elsewhere or by Escape, which leads back to its button.

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};

document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.activeElement?.closest("details.menu[open]")?.querySelector("summary").focus();
  closeMenus(null);
});
