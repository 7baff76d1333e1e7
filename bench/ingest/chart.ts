import { BarChart, CustomChart, type CustomSeriesOption } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Spread } from './figures.ts';

use([BarChart, CustomChart, GridComponent, TitleComponent, SVGRenderer]);

/** One picture of bars, a bar for each row. */
export interface Panel {
  readonly title: string;
  /** In the order of the rows; `undefined` where there is no figure. */
  readonly spreads: readonly (Spread | undefined)[];
  readonly digits: number;
}

export interface Row {
  readonly title: string;
  /** Ours stand out. */
  readonly isOurs: boolean;
}

const widthPx = 960;
const rowPx = 30;
const topPx = 98;
const bottomPx = 24;
const namesPx = 210;
const gapPx = 40;
const endPx = 24;

/** A card with a ground of its own, so that it can be read on a light and on a dark page. */
const colours = {
  ground: '#1b1f27',
  text: '#e5e9f0',
  dim: '#9aa3b2',
  ours: '#5fb3ff',
  others: '#6b7689',
  whisker: '#e5e9f0',
};
// Without quotes: ECharts writes it into an attribute as it stands.
const font = 'system-ui, -apple-system, Helvetica, Arial, sans-serif';

/** An SVG with `panels` side by side: bars are medians, lines go from the least to the most. */
export function barPicture(title: string, subtitle: string, rows: readonly Row[], panels: readonly Panel[]): string {
  const heightPx = topPx + rows.length * rowPx + bottomPx;
  const panelPx = (widthPx - namesPx - endPx - gapPx * (panels.length - 1)) / panels.length;
  const leftOf = (index: number): number => namesPx + index * (panelPx + gapPx);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: widthPx, height: heightPx });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: colours.ground,
      textStyle: { fontFamily: font, color: colours.text },
      title: [
        {
          text: title,
          subtext: subtitle,
          left: 16,
          top: 10,
          textStyle: { color: colours.text, fontSize: 16 },
          subtextStyle: { color: colours.dim, fontSize: 11 },
        },
        ...panels.map((panel, index) => ({
          text: panel.title,
          left: leftOf(index),
          top: topPx - 24,
          padding: 0,
          textStyle: { color: colours.dim, fontSize: 12, fontWeight: 'normal' as const },
        })),
      ],
      grid: panels.map((_panel, index) => ({
        left: leftOf(index),
        top: topPx,
        width: panelPx,
        height: rows.length * rowPx,
      })),
      xAxis: panels.map(({ spreads }, index) => ({
        gridIndex: index,
        type: 'value' as const,
        // Room for the figure behind the longest bar.
        max: 1.25 * Math.max(...spreads.map((spread) => spread?.max ?? 0)),
        show: false,
      })),
      yAxis: panels.map((_panel, index) => ({
        gridIndex: index,
        type: 'category' as const,
        inverse: true,
        data: rows.map((row) => row.title),
        axisLine: { lineStyle: { color: colours.others } },
        axisTick: { show: false },
        axisLabel: { show: index === 0, color: colours.text, fontSize: 12 },
      })),
      series: panels.flatMap(({ spreads, digits }, index) => [
        {
          type: 'bar' as const,
          xAxisIndex: index,
          yAxisIndex: index,
          barWidth: 16,
          data: spreads.map((spread, row) => ({
            value: spread?.median ?? 0,
            itemStyle: {
              color: rows[row]?.isOurs === true ? colours.ours : colours.others,
              borderRadius: [0, 3, 3, 0],
            },
          })),
        },
        whiskers(index, spreads, digits),
      ]),
    });
    return asCard(chart.renderToSVGString(), title);
  } finally {
    chart.dispose();
  }
}

/** Lines from the least to the most of each row, and the median in figures behind them. */
function whiskers(index: number, spreads: readonly (Spread | undefined)[], digits: number): CustomSeriesOption {
  return {
    type: 'custom',
    // Above the bars.
    z: 3,
    xAxisIndex: index,
    yAxisIndex: index,
    data: spreads.map((_spread, row) => row),
    renderItem: ({ dataIndex }, api) => {
      const spread = spreads[dataIndex];
      const at = (value: number): number[] => api.coord([value, dataIndex]);
      const [, y = 0] = at(0);
      const [from = 0] = at(spread?.min ?? 0);
      const [to = 0] = at(spread?.max ?? 0);
      const style = { stroke: colours.whisker, lineWidth: 1.2 };
      const line = (x1: number, y1: number, x2: number, y2: number): object => ({
        type: 'line',
        shape: { x1, y1, x2, y2 },
        style,
      });
      const text =
        spread === undefined
          ? 'not measured'
          : spread.median.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
      return {
        type: 'group',
        children: [
          ...(spread === undefined || spread.min === spread.max
            ? []
            : [line(from, y, to, y), line(from, y - 3, from, y + 3), line(to, y - 3, to, y + 3)]),
          {
            type: 'text',
            style: { text, x: to + 8, y, verticalAlign: 'middle', fill: colours.text, fontSize: 12, fontFamily: font },
          },
        ],
      } as ReturnType<NonNullable<CustomSeriesOption['renderItem']>>;
    },
  };
}

/** With round corners, a title for those who do not see the picture, and nothing that a pointer changes. */
function asCard(svg: string, title: string): string {
  const still = svg.replace(/<style[\s\S]*?<\/style>/g, '').replaceAll(/ class="[^"]*"| pointer-events="[^"]*"/g, '');
  return `${still.replace(/(<svg[^>]*>)\s*<rect /, `$1\n<title>${title}</title>\n<rect rx="8" `).trimEnd()}\n`;
}
