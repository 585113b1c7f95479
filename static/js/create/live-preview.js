// A small pastiche that follows the controls: one request at a time, and when it is back, the newest wish goes out.

/**
 * `paint(wish)` gives a picture, `show(picture)` shows it, `complain(error)` says why there is none, and `busy(on)` that
 * one is under way. A wish has a `subject`: an answer about another photo or other styles than are wanted by now is
 * stale and dropped; one whose slider has moved on is shown until the newer one is there.
 */
export function livePreview({ paint, show, complain, busy }) {
  let newest = null;
  let underWay = false;

  async function paintOne(wanted) {
    try {
      const picture = await paint(wanted);
      if (newest?.subject === wanted.subject) await show(picture);
    } catch (error) {
      if (newest === wanted) complain(error, () => newest === wanted && request(wanted));
    }
  }

  async function run() {
    underWay = true;
    busy(true);
    for (let wanted = null; newest !== wanted; ) {
      wanted = newest;
      if (wanted) await paintOne(wanted);
    }
    busy(false);
    underWay = false;
  }

  function request(wanted) {
    newest = wanted;
    if (!underWay && wanted) run();
  }

  return request;
}
