// On a narrow screen the open tab may be beyond the edge: it is brought into view.

document.querySelector(".subnav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
