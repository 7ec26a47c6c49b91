/**
 * Random life of a directory, from a seed: people come, go, are renamed and moved, get and lose addresses; whole teams move in
 * and out of the part that is read. As LDIF change records, with a model of what is true afterwards.
 */
import { randomFrom } from './random.js';

interface Person {
  uid: string;
  /** Name of the organizational unit that holds it. */
  unit: string;
  mail: boolean;
  /** What its addresses are made of: stays when the uid changes. */
  readonly stem: string;
  readonly aliases: Set<string>;
}

export interface ChurnOptions {
  readonly seed: number;
  readonly suffix: string;
  /** Read from here down. */
  readonly base: string;
  readonly objectClasses: readonly string[];
  readonly aliasAttribute: string;
}

const teams = ['red', 'green', 'blue'] as const;

export class Churn {
  readonly #random: (below: number) => number;
  readonly #people: Person[] = [];
  /** Of each unit: the DN above it. `in` and `out` stay; the teams move. */
  readonly #above = new Map<string, string>();
  #made = 0;

  constructor(readonly options: ChurnOptions) {
    this.#random = randomFrom(options.seed);
    const { base, suffix } = options;
    this.#above.set('inside', base).set('outside', suffix);
    for (const team of teams) this.#above.set(team, base);
  }

  /** The units, to be added before anything else. */
  units(): string {
    return [...this.#above]
      .map(([unit, above]) => `dn: ou=${unit},${above}\nobjectClass: organizationalUnit\nou: ${unit}\n\n`)
      .join('');
  }

  /** So many changes, as change records; the last is always a newcomer. */
  changes(count: number): string {
    const records = Array.from({ length: count - 1 }, () => this.#one());
    return [...records, this.#add()].join('');
  }

  /** Every address that is to be seen below the base. */
  addresses(): string[] {
    return this.#people
      .filter((person) => this.#isBelowBase(person))
      .flatMap((person) => [...(person.mail ? [`${person.stem}@example.com`] : []), ...person.aliases])
      .sort();
  }

  /** Whether this address is of somebody who is not there any more: only a listing tells. */
  hasLeft(address: string): boolean {
    const stem = /^p\d+/.exec(address)?.[0];
    const person = this.#people.find((one) => one.stem === stem);
    return person === undefined || !this.#isBelowBase(person);
  }

  #isBelowBase(person: Person): boolean {
    return this.#unitDn(person.unit).endsWith(`,${this.options.base}`);
  }

  #one(): string {
    const what = this.#random(1000);
    if (what < 2) return this.#moveTeam();
    if (what < 350 || this.#people.length < 50) return this.#add();
    const person = this.#people[this.#random(this.#people.length)];
    if (person === undefined) return this.#add();
    if (what < 500) return this.#remove(person);
    if (what < 600) return this.#rename(person);
    if (what < 700) return this.#move(person);
    if (what < 800) return this.#toggleMail(person);
    return this.#changeAlias(person);
  }

  #add(): string {
    this.#made += 1;
    const stem = `p${String(this.#made)}`;
    const person: Person = { uid: stem, unit: this.#anyUnit(), mail: true, stem, aliases: new Set() };
    this.#people.push(person);
    const classes = this.options.objectClasses.map((name) => `objectClass: ${name}\n`).join('');
    return `dn: ${this.#dn(person)}\nchangetype: add\n${classes}uid: ${stem}\ncn: ${stem}\nsn: ${stem}\nmail: ${stem}@example.com\n\n`;
  }

  #remove(person: Person): string {
    this.#people.splice(this.#people.indexOf(person), 1);
    return `dn: ${this.#dn(person)}\nchangetype: delete\n\n`;
  }

  #rename(person: Person): string {
    const before = this.#dn(person);
    this.#made += 1;
    person.uid = `r${String(this.#made)}`;
    return `dn: ${before}\nchangetype: modrdn\nnewrdn: uid=${person.uid}\ndeleteoldrdn: 1\n\n`;
  }

  #move(person: Person): string {
    const before = this.#dn(person);
    person.unit = this.#anyUnit();
    return `dn: ${before}\nchangetype: modrdn\nnewrdn: uid=${person.uid}\ndeleteoldrdn: 0\nnewsuperior: ${this.#unitDn(person.unit)}\n\n`;
  }

  #moveTeam(): string {
    const team = teams[this.#random(teams.length)] ?? 'red';
    const before = this.#unitDn(team);
    const { base, suffix } = this.options;
    this.#above.set(team, this.#above.get(team) === base ? suffix : base);
    return `dn: ${before}\nchangetype: modrdn\nnewrdn: ou=${team}\ndeleteoldrdn: 0\nnewsuperior: ${this.#above.get(team) ?? ''}\n\n`;
  }

  #toggleMail(person: Person): string {
    person.mail = !person.mail;
    const change = person.mail ? `add: mail\nmail: ${person.stem}@example.com` : 'delete: mail';
    return `dn: ${this.#dn(person)}\nchangetype: modify\n${change}\n\n`;
  }

  #changeAlias(person: Person): string {
    const alias = `${person.stem}.a${String(this.#random(3))}@example.com`;
    const how = person.aliases.has(alias) ? 'delete' : 'add';
    if (how === 'add') person.aliases.add(alias);
    else person.aliases.delete(alias);
    const { aliasAttribute } = this.options;
    return `dn: ${this.#dn(person)}\nchangetype: modify\n${how}: ${aliasAttribute}\n${aliasAttribute}: ${alias}\n\n`;
  }

  #anyUnit(): string {
    return ['inside', 'inside', ...teams, 'outside'][this.#random(6)] ?? 'inside';
  }

  #unitDn(unit: string): string {
    return `ou=${unit},${this.#above.get(unit) ?? ''}`;
  }

  #dn(person: Person): string {
    return `uid=${person.uid},${this.#unitDn(person.unit)}`;
  }
}
