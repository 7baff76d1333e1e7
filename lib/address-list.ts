import { BlockList, isIP, isIPv4 } from 'node:net';

/** One IP address, or a range of them in CIDR notation. */
interface Range {
  readonly text: string;
  readonly address: string;
  readonly family: Family;
  readonly prefix: number;
  readonly addresses: BlockList;
}

type Family = 'ipv4' | 'ipv6';

const bits = { ipv4: 32, ipv6: 128 } as const;
/** Bits before the IPv4 address in an IPv4-mapped IPv6 address. */
const mappedBits = 96;

/** IP addresses and ranges of both families. An IPv4-mapped address (`::ffff:10.0.0.1`) is the IPv4 address in it. */
export class AddressList {
  /** Each address and range, as it was given. */
  readonly texts: readonly string[];
  readonly #ranges: readonly Range[];
  readonly #all = new BlockList();

  /** @throws {Error} that names the first text which is neither an IP address nor a CIDR range. */
  constructor(texts: readonly string[]) {
    this.texts = texts;
    this.#ranges = texts.map(rangeOf);
    for (const { address, prefix, family } of this.#ranges) this.#all.addSubnet(address, prefix, family);
  }

  /** Whether `address` is in the list; what is no IP address never is. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    return plain !== undefined && this.#all.check(plain.address, plain.family);
  }

  /** Whether one entry of the list holds all of `text`, an address or a range. */
  covers(text: string): boolean {
    const wanted = rangeOf(text);
    return this.#ranges.some(
      ({ family, prefix, addresses }) =>
        family === wanted.family && prefix <= wanted.prefix && addresses.check(wanted.address, family),
    );
  }
}

function rangeOf(text: string): Range {
  const [given = '', length, ...rest] = text.split('/');
  const plain = given.includes('%') ? undefined : plainAddress(given);
  const prefix = plain === undefined ? undefined : prefixOf(plain, length);
  if (plain === undefined || prefix === undefined || rest.length > 0) {
    throw new Error(`${JSON.stringify(text)} is no IP address and no range like 203.0.113.0/24`);
  }
  const { address, family } = plain;
  const addresses = new BlockList();
  addresses.addSubnet(address, prefix, family);
  return { text, address, family, prefix, addresses };
}

interface PlainAddress {
  readonly address: string;
  readonly family: Family;
  readonly isMapped: boolean;
}

function prefixOf({ family, isMapped }: PlainAddress, length: string | undefined): number | undefined {
  if (length === undefined) return bits[family];
  if (!/^\d{1,3}$/.test(length)) return undefined;
  const prefix = Number(length) - (isMapped ? mappedBits : 0);
  return prefix >= 0 && prefix <= bits[family] ? prefix : undefined;
}

/** `text` as an address of its family without a zone; `undefined` when it is none. */
function plainAddress(text: string): PlainAddress | undefined {
  const [unzoned = ''] = text.split('%');
  if (isIP(unzoned) === 0) return undefined;
  if (isIPv4(unzoned)) return { address: unzoned, family: 'ipv4', isMapped: false };
  const mapped = mappedAddress(unzoned);
  return mapped === undefined
    ? { address: unzoned, family: 'ipv6', isMapped: false }
    : { address: mapped, family: 'ipv4', isMapped: true };
}

/** The IPv4 address in an IPv4-mapped one, in whichever of its spellings. */
function mappedAddress(text: string): string | undefined {
  // The URL parser writes an IPv6 address in its one shortest form.
  const shortest = URL.parse(`http://[${text}]`)?.hostname;
  const found = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(shortest ?? '');
  if (found === null) return undefined;
  const [high, low] = found.slice(1).map((part) => Number.parseInt(part, 16)) as [number, number];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
