// The brush: mouse, pen, finger or keys on the canvas become strokes on a mask.

const STEP = 0.25; // of the brush's width, for an arrow key

/**
 * `mask()` is what is painted on, `size()` the brush's width as a share of the long side, and `erases()` whether it takes
 * away. `moved()` is told when there is something new to see, `done()` after each stroke.
 */
export function setUpBrush(canvas, ring, { mask, size, erases, moved, done }) {
  let last = null; // where the stroke has come to, in pixels of the mask
  let cursor = { x: 0.5, y: 0.5 }; // shares of the picture

  const width = () => Math.max(1, size() * Math.max(mask().canvas.width, mask().canvas.height));
  const onMask = ({ x, y }) => ({ x: x * mask().canvas.width, y: y * mask().canvas.height });

  function positionOf({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  }

  function showRing() {
    const { clientWidth, clientHeight } = canvas;
    const across = Math.max(4, size() * Math.max(clientWidth, clientHeight));
    ring.style.width = ring.style.height = `${across}px`;
    ring.style.translate = `${cursor.x * clientWidth - across / 2}px ${cursor.y * clientHeight - across / 2}px`;
    ring.hidden = false;
  }

  function goTo(position) {
    cursor = { x: Math.min(1, Math.max(0, position.x)), y: Math.min(1, Math.max(0, position.y)) };
    showRing();
  }

  function strokeTo(position) {
    const point = onMask(position);
    mask().line(last ?? point, point, width(), erases());
    last = point;
  }

  function end() {
    if (!last) return;
    last = null;
    mask().end();
    done();
  }

  function down(event) {
    if (!event.isPrimary || event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    mask().begin();
    goTo(positionOf(event));
    strokeTo(positionOf(event));
    moved();
  }

  function move(event) {
    if (!event.isPrimary) return;
    goTo(positionOf(event));
    if (!last) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) strokeTo(positionOf(one));
    moved();
  }

  function paintDot() {
    if (last) return; // a finger is on it
    mask().begin();
    strokeTo(cursor);
    end();
  }

  function onKeyDown(event) {
    showRing();
    const { width: across, height: high } = mask().canvas;
    const far = Math.max(1, (event.shiftKey ? 4 : 1) * STEP * width());
    const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (right !== undefined) goTo({ x: cursor.x + (right * far) / across, y: cursor.y + (down * far) / high });
    else if (event.key === " " || event.key === "Enter") paintDot();
    else return;
    event.preventDefault(); // the page stays where it is
  }

  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => (ring.hidden = !canvas.matches(":focus-visible")));
  canvas.addEventListener("keydown", onKeyDown);
  canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && showRing());
  canvas.addEventListener("blur", () => (ring.hidden = true));
  return { resized: () => ring.hidden || showRing() };
}
