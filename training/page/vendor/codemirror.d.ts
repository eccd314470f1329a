/** What the page uses of CodeMirror: see its reference manual. */

export type Extension = readonly unknown[] | { readonly extension?: unknown };
export type KeyBinding = { readonly key?: string };
type Styles = Record<string, Record<string, string>>;

export interface Text {
  readonly length: number;
  readonly lines: number;
  line(number: number): { from: number; to: number };
  toString(): string;
}

export class EditorState {
  readonly doc: Text;
  static create(config: { doc?: string; extensions?: Extension[] }): EditorState;
  static tabSize: { of(size: number): Extension };
}

export interface Diagnostic {
  from: number;
  to: number;
  severity: "error";
  message: string;
}

export class EditorView {
  constructor(config: { state: EditorState; parent: ShadowRoot; root: ShadowRoot });
  readonly state: EditorState;
  readonly dom: HTMLElement;
  readonly contentDOM: HTMLElement;
  readonly hasFocus: boolean;
  dispatch(...specs: object[]): void;
  focus(): void;
  destroy(): void;
  static theme(spec: Styles, options?: { dark?: boolean }): Extension;
  static contentAttributes: { of(attributes: Record<string, string>): Extension };
  static updateListener: { of(listener: (update: { docChanged: boolean }) => void): Extension };
  static scrollIntoView(place: number, options?: { y?: "center" }): object;
}

export interface Tag {
  readonly id: number;
}

export class HighlightStyle {
  static define(specs: { tag: Tag | Tag[]; color?: string; fontStyle?: string }[]): HighlightStyle;
}

export const tags: Record<string, Tag> & Record<"special" | "definition" | "function", (tag: Tag) => Tag>;
export const defaultKeymap: readonly KeyBinding[];
export const historyKeymap: readonly KeyBinding[];
export const indentWithTab: KeyBinding;
export const indentUnit: { of(unit: string): Extension };
export const keymap: { of(bindings: KeyBinding[]): Extension };
export const pythonLanguage: Extension;
export function bracketMatching(): Extension;
export function drawSelection(): Extension;
export function highlightActiveLine(): Extension;
export function history(): Extension;
export function indentOnInput(): Extension;
export function lineNumbers(): Extension;
export function lintGutter(): Extension;
export function setDiagnostics(state: EditorState, found: Diagnostic[]): object;
export function syntaxHighlighting(style: HighlightStyle): Extension;
