// kafkajs 2.2.4 arms a timer again and again on an idle connection (issues 1751, 1704, 1556; pull request 1768): about 900
// wake-ups a second for each client. This leaves out the timer where there is nothing to wait for.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

let applied = false;

/** Repairs kafkajs's request queue, once a process; call it before the first client is made. */
export function stopIdleTimerSpin(): void {
  if (applied) return;
  applied = true;
  const original = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    const throttled = this.throttledUntil > Date.now();
    if (this.pending.length > 0 || throttled) original.call(this);
  };
}
