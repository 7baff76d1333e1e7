import { describe, expect, it } from 'vitest';
import { barPicture } from '../../../bench/ingest/chart.ts';

const rows = [
  { title: 'imwatch', isOurs: true },
  { title: 'another', isOurs: false },
];
const svg = barPicture('What it costs', 'one run', rows, [
  { title: 'events', spreads: [{ median: 12_345.6, min: 12_000, max: 13_000 }, undefined], digits: 0 },
]);

describe('the picture of the benchmark', () => {
  it('is XML: nothing is left of it once its tags are taken away but its texts', () => {
    const texts = svg
      .replace(/<\/?[\w:]+(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/g, '\n')
      .split('\n')
      .filter((line) => line.trim() !== '');
    expect(texts.join(' ')).not.toMatch(/[<>"]/);
    expect(texts).toEqual(expect.arrayContaining(['What it costs', 'one run', 'events', 'imwatch', 'another']));
  });

  it('says the median in figures, and what was not measured', () => {
    expect(svg).toContain('>12,346<');
    expect(svg).toContain('>not measured<');
  });

  it('has a title for those who do not see it, and a ground of its own', () => {
    expect(svg).toContain('<title>What it costs</title>');
    expect(svg).toMatch(/<rect rx="8" width="960"[^>]*fill="#1b1f27"/);
  });
});
