// On a narrow screen the open tab may be beyond the edge: it is brought into view, of the pages and of a service.

for (const tab of document.querySelectorAll(":is(.tabs, .subnav) [aria-current]")) {
  tab.scrollIntoView({ inline: "center", block: "nearest" });
}
