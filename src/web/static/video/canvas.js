// Canvases are measured in CSS pixels and drawn in those of the screen.

export function sizeCanvas(canvas, width, height) {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.setProperty('--width', `${width}px`);
  canvas.style.setProperty('--height', `${height}px`);
}

/** The cleared context, scaled to CSS pixels. */
export function ready(canvas, font, width, height) {
  const scale = devicePixelRatio || 1;
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = font;
  return context;
}
