// Dark or light: as the system has it, or as it was chosen on this page.

const KEY = "ovct-theme";

// A page in a file may not be allowed to store anything.
function stored() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // only for this visit
  }
}

export const restoreTheme = () => setTheme(stored());

export function turnTheme() {
  const order = ["", "dark", "light"];
  setTheme(order[(order.indexOf(document.documentElement.dataset.theme ?? "") + 1) % order.length]);
}
