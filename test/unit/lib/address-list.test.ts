import { describe, expect, it } from 'vitest';
import { AddressList } from '../../../lib/address-list.ts';

describe('AddressList', () => {
  it.each([
    ['183.192.202.0/25', '183.192.202.127', true],
    ['183.192.202.0/25', '183.192.202.128', false],
    ['127.0.0.2', '127.0.0.2', true],
    ['127.0.0.2', '127.0.0.3', false],
    ['10.1.2.3/8', '10.255.0.1', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::1', '2001:0db8:0:0:0:0:0:1', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:a01:203', true],
    ['10.0.0.0/8', '0:0:0:0:0:FFFF:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', false],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', 'unknown', false],
    ['10.0.0.0/8', '10.0.0.1:443', false],
    ['10.0.0.0/8', '', false],
  ])('%s has %s: %s', (range, address, expected) => {
    expect(new AddressList(['192.0.2.1', range]).has(address)).toBe(expected);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '10.0.0.0/-1',
    '2001:db8::/129',
    '::ffff:10.0.0.0/95',
    'fe80::1%eth0',
    'example.com',
    '',
  ])('refuses %j and says so', (text) => {
    expect(() => new AddressList(['192.0.2.1', text])).toThrow(
      `${JSON.stringify(text)} is no IP address and no range like 203.0.113.0/24`,
    );
  });

  it('covers what one of its entries holds whole', () => {
    const list = new AddressList(['10.0.0.0/8', '2001:db8::/32', '192.0.2.0/25', '192.0.2.128/25']);
    expect(
      ['10.1.0.0/16', '10.0.0.0/8', '10.9.9.9', '::ffff:10.0.0.0/112', '2001:db8:1::/48'].map((text) =>
        list.covers(text),
      ),
    ).toEqual([true, true, true, true, true]);
    expect(['10.0.0.0/7', '11.0.0.0/16', '2001:db9::/48', '192.0.2.0/24'].map((text) => list.covers(text))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
