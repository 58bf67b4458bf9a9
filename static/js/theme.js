// Before the first paint: put on the appearance that this browser chose.
(() => {
  const root = document.documentElement;
  try {
    const choice = localStorage.getItem("paydeck-theme");
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
  } catch {
    // Storage may be refused; then the system's appearance stays.
  }
})();
