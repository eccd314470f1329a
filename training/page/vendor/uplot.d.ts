/** What the page uses of uPlot: see its documentation. */

type Values = (number | null | undefined)[];

interface Series {
  label?: string;
  stroke?: string;
  dash?: number[];
  width?: number;
  points?: { show?: boolean | ((plot: uPlot) => boolean); size?: number; fill?: string; stroke?: string };
  spanGaps?: boolean;
  value?: (plot: uPlot, value: number | null) => string;
}

interface Axis {
  stroke?: string;
  font?: string;
  size?: number;
  label?: string;
  labelFont?: string;
  labelSize?: number;
  incrs?: number[];
  values?: (plot: uPlot, values: number[]) => string[];
  grid?: { stroke?: string; width?: number };
  ticks?: { stroke?: string; width?: number };
}

interface Options {
  width: number;
  height: number;
  series: Series[];
  axes?: Axis[];
  scales?: Record<string, { time?: boolean; range?: (plot: uPlot, low: number, high: number) => [number, number] }>;
  legend?: { show?: boolean; live?: boolean };
  cursor?: { show?: boolean; drag?: { x?: boolean; y?: boolean }; points?: { size?: number } };
  hooks?: { setCursor?: ((plot: uPlot) => void)[] };
  padding?: (number | null)[];
}

export default class uPlot {
  constructor(options: Options, data: Values[], place: HTMLElement);
  setData(data: Values[]): void;
  setSize(size: { width: number; height: number }): void;
  destroy(): void;
  readonly data: Values[];
  readonly cursor: { idx?: number | null };
}

export type { Axis, Options, Series, Values };
