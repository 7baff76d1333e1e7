import { expect, it } from 'vitest';
import { asError, messageOf } from '../../../lib/errors.ts';

it('messageOf joins the messages of an error and its causes, each once', () => {
  const root = new Error('connect ECONNREFUSED');
  expect(messageOf(new Error('Registry away', { cause: root }))).toBe('Registry away: connect ECONNREFUSED');
  expect(messageOf(new Error('wrapped: connect ECONNREFUSED', { cause: root }))).toBe('wrapped: connect ECONNREFUSED');
  expect(messageOf('text')).toBe('text');
});

it('asError keeps errors and wraps the rest', () => {
  const error = new RangeError('r');
  expect(asError(error)).toBe(error);
  expect(asError(42).message).toBe('42');
});
