// A text that is there to be copied, such as a new token, is selected as soon as it is shown or focused.

const selectFirst = () => document.querySelector("[data-select]")?.select();

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});

document.addEventListener("htmx:after:swap", selectFirst);
selectFirst();
