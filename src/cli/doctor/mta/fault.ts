/** What is written down about one fault. */
export interface Fault {
  readonly level: 'warn' | 'error';
  readonly why: string;
  readonly mend: string;
}
