// Light, dark, or as the system has it; style/base.css holds the colours of both.

export const themes = ['auto', 'light', 'dark'];
const system = matchMedia('(prefers-color-scheme: dark)');

export const theme = () => localStorage.getItem('theme') ?? 'auto';

export function startTheme() {
  system.addEventListener('change', apply);
  apply();
}

export function useTheme(name) {
  localStorage.setItem('theme', name);
  apply();
}

function apply() {
  document.documentElement.dataset.theme = theme() === 'auto' ? (system.matches ? 'dark' : 'light') : theme();
  dispatchEvent(new Event('themechange'));  // canvases draw themselves again
}
