/** What a read met: counted whole, kept in part. */
import type { Problem } from '../source/source.js';

const maxForeignDomains = 1000;

/** Counts what is skipped, keeping the first problems and the foreign domains. */
export class Tally {
  read = 0;
  skipped = 0;
  readonly problems: Problem[] = [];
  readonly byDomain = new Map<string, number>();
  private readonly foreign = new Map<string, number>();
  private foreignCount = 0;

  constructor(private readonly maxProblems: number) {}

  problem(problem: Problem): void {
    this.skipped++;
    if (this.problems.length < this.maxProblems) this.problems.push(problem);
  }

  outside(domain: string): void {
    this.skipped++;
    this.foreignCount++;
    const known = this.foreign.get(domain);
    if (known !== undefined || this.foreign.size < maxForeignDomains)
      this.foreign.set(domain, (known ?? 0) + 1);
  }

  claimed(domain: string): void {
    this.byDomain.set(domain, (this.byDomain.get(domain) ?? 0) + 1);
  }

  notes(): string[] {
    if (this.foreignCount === 0) return [];
    const top = [...this.foreign].sort((a, b) => b[1] - a[1]).slice(0, 10);
    const more = this.foreign.size > top.length ? ', …' : '';
    const list = top.map(([domain, n]) => `${domain} ${n}`).join(', ');
    return [`${this.foreignCount} addresses skipped: not in a domain of this tenant (${list}${more})`];
  }
}
