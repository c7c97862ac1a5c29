// Sets the theme before the first paint: a classic script, for modules come later and would flash.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("psp.theme");
  } catch {
    // Storage may be forbidden; then the system decides.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
