import { describe, expect, it } from 'vitest';
import { type FilterOptions, filterOf, isEmpty, matches } from '../../../../cli/dead-letters/filter.ts';
import { receivedAtMs, sdkAppId, verdictCommand } from '../../../support/callbacks.ts';
import { aLetter, placed } from '../../../support/dead-letters.ts';

const hourMs = 3_600_000;
const letters = placed(
  aLetter({ eventId: '1'.repeat(32), firstFailedAt: receivedAtMs - 3 * hourMs }),
  aLetter({
    eventId: '2'.repeat(32),
    reason: 'BODY_NOT_JSON',
    fieldPath: null,
    command: null,
    firstFailedAt: receivedAtMs - hourMs,
  }),
  aLetter({
    eventId: '3'.repeat(32),
    service: 'penalties',
    reason: 'RECORD_NOT_READABLE',
    fieldPath: null,
    command: null,
    sdkAppId: null,
  }),
  aLetter({ eventId: '4'.repeat(32), fieldPath: '/ContactItem/ContactType', command: 'A.B', sdkAppId: 7 }),
);

/** First digits of the ids of the letters that the options mean. */
function chosen(options: FilterOptions): string {
  const filter = filterOf(options, receivedAtMs);
  return letters
    .filter((each) => matches(filter, each))
    .map(({ letter }) => letter.eventId[0])
    .join('');
}

describe('a filter', () => {
  it.each<[FilterOptions, string]>([
    [{}, '1234'],
    [{ reason: 'FIELD_INVALID' }, '14'],
    [{ reason: 'field_invalid, BODY_NOT_JSON' }, '124'],
    [{ command: verdictCommand }, '1'],
    [{ command: `A.B,${verdictCommand}` }, '14'],
    [{ service: 'penalties' }, '3'],
    [{ app: String(sdkAppId) }, '12'],
    [{ field: '/ContactItem' }, '4'],
    [{ field: '/Ctxcb' }, '1'],
    [{ field: 'CtxcbResult' }, ''],
    [{ id: `${'1'.repeat(32)},${'3'.repeat(32)}` }, '13'],
    [{ since: '1h' }, '234'],
    [{ since: '59m' }, '34'],
    [{ until: '1h' }, '1'],
    [{ since: '2h', until: '30m' }, '2'],
    [{ since: '1d' }, '1234'],
    [{ since: '2023-11-14T21:13:20Z' }, '234'],
    [{ since: '2023-11-14T21:13:20.001' }, '34'],
    [{ since: '2023-11-15T05:13:20+08:00' }, '234'],
    [{ since: '2023-11-14' }, '1234'],
    [{ until: '2023-11-14' }, ''],
    [{ reason: 'FIELD_INVALID', command: 'A.B', since: '1m' }, '4'],
    [{ reason: 'NO_SUCH' }, ''],
  ])('%o means %s', (options, expected) => {
    expect(chosen(options)).toBe(expected);
  });

  it.each(['yesterday', '2 h', '1w', '2023-13-01', '', '12345'])('refuses the time "%s"', (since) => {
    expect(() => filterOf({ since }, receivedAtMs)).toThrow(/--since is .*, expected a time like .* 30m, 2h, 7d/);
  });

  it('refuses an app that is no number', () => {
    expect(() => filterOf({ app: 'mine' }, receivedAtMs)).toThrow('--app is "mine", expected an SDKAppID');
  });

  it('is empty when nothing was asked for', () => {
    expect(isEmpty(filterOf({}, receivedAtMs))).toBe(true);
    expect(isEmpty(filterOf({ reason: '' }, receivedAtMs))).toBe(false);
  });
});
