import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stopIdleTimerSpin } from '../../../lib/kafka/request-queue-fix.ts';

const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function pendingRequest(sent: () => void) {
  return { entry: { correlationId: 1 }, expectResponse: true, sendRequest: sent };
}

describe('stopIdleTimerSpin', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    stopIdleTimerSpin();
  });
  afterEach(() => vi.useRealTimers());

  function queue(): RequestQueue {
    return new RequestQueue({ requestTimeout: 1000, enforceRequestTimeout: false, clientId: 'c', broker: 'b', logger });
  }

  it('arms no timer for a queue in which nothing waits', () => {
    queue().checkPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('arms one timer for the end of a throttle, which then sends what waits', () => {
    const throttled = queue();
    const sent = vi.fn();
    throttled.maybeThrottle(250);
    throttled.push(pendingRequest(sent));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(249);
    expect(sent).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(sent).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});
