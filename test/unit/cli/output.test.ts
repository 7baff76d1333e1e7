import { expect, it } from 'vitest';
import { escapeControls } from '../../../cli/output.ts';

it('escapeControls writes out what could steer a terminal, and leaves texts of any language as they are', () => {
  expect(escapeControls('\u001b[31mred\u0007\n')).toBe('\\u001b[31mred\\u0007\\u000a');
  expect(escapeControls('abc\u202edef')).toBe('abc\\u202edef');
  expect(escapeControls('你好, مرحبا 👍')).toBe('你好, مرحبا 👍');
});
