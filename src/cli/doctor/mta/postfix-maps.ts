/** Recipient lists of Postfix: those that are missing, and entries that make everybody known. */
import { fault, type MtaFinding } from './catalogue.js';
import { recipientMaps, type Ask } from './postfix-asks.js';
import { domainsIn, isServed } from './postfix-domains.js';
import type { Front } from './postfix-input.js';
import { rcptLists, stepsOf } from './restrictions.js';
import { entriesOf, parseTable, wildcardOf } from './tables.js';

const mostNamed = 10;

export function checkMaps(front: Front, asks: readonly Ask[]): MtaFinding[] {
  return [
    ...checkUnchecked(front, asks),
    ...checkWildcards(front, asks),
    ...checkSecondList(front, asks),
    ...checkAliases(front, asks),
    ...checkVirtualTable(front),
    ...checkOpenings(front),
  ];
}

/** Doors that judge the recipient as the client wrote it, whatever the maps say. */
function judgesAll(asks: readonly Ask[]): boolean {
  return asks.some(({ ours, door }) => ours && ['policy', 'milter', 'proxy', 'smtp'].includes(door));
}

function checkUnchecked(front: Front, asks: readonly Ask[]): MtaFinding[] {
  const { values, facts } = front;
  const judged = judgesAll(asks);
  /** Domains of this class of which nobody knows the recipients. */
  const open = (setting: string): string[] =>
    domainsIn(front, setting).names.filter((name) => !judged || !isServed(facts, name));
  const findings: MtaFinding[] = [];
  const empty = (name: string): boolean => values.get(name).trim() === '';
  if (empty('relay_recipient_maps') && !judged && !asksOthers(front)) {
    const names = open('relay_domains');
    const what = `${names.slice(0, mostNamed).join(', ')}: relay_recipient_maps is empty, and nothing else checks`;
    if (names.length > 0)
      findings.push(fault('postfix-relay-unchecked', values.where('relay_domains'), what));
  }
  if (values.isSet('local_recipient_maps') && empty('local_recipient_maps')) {
    const names = open('mydestination');
    const refused = /^error\b/.test(values.get('local_transport'));
    const what = `local_recipient_maps is empty, and mydestination has ${names.slice(0, mostNamed).join(', ')}`;
    if (names.length > 0 && !refused)
      findings.push(fault('postfix-local-unchecked', values.where('local_recipient_maps'), what));
  }
  if (empty('virtual_mailbox_maps')) {
    const names = open('virtual_mailbox_domains');
    const what = `virtual_mailbox_maps is empty, and virtual_mailbox_domains has ${names.slice(0, mostNamed).join(', ')}`;
    if (names.length > 0 && !asksOthers(front))
      findings.push(fault('postfix-virtual-unchecked', values.where('virtual_mailbox_domains'), what));
  }
  return findings;
}

/** Somebody else may check: another policy service, milter, filter, or address verification. Nobody can tell from here. */
function asksOthers({ values }: Front): boolean {
  const inLists = rcptLists.some((list) =>
    stepsOf(values, list).some(({ name }) => name === 'reject_unverified_recipient'),
  );
  return inLists || values.get('smtpd_proxy_filter').trim() !== '';
}

function checkWildcards(front: Front, asks: readonly Ask[]): MtaFinding[] {
  const { values, read, facts } = front;
  const judged = judgesAll(asks);
  return recipientMaps.flatMap((setting) =>
    values.list(setting).flatMap((word) => {
      const table = parseTable(word);
      const entries = table === undefined ? undefined : entriesOf(table, read);
      if (table === undefined || entries === undefined) return [];
      return entries
        .flatMap((entry) => {
          const domain = wildcardOf(table, entry);
          return domain === undefined ? [] : [{ entry, domain }];
        })
        .slice(0, mostNamed)
        .map(({ entry, domain }) => {
          // behind a door that judges every recipient it does no harm to the domains of that door
          const harmless = judged && domain !== '*' && isServed(facts, domain);
          const what = `${entry.key} ${entry.value} in ${table.type}:${table.type === 'inline' ? '' : table.rest}`;
          const about = `${values.where(setting)} (${entry.where})`;
          return fault('postfix-wildcard', about, what.trim(), harmless ? 'warn' : 'error');
        });
    }),
  );
}

function checkSecondList({ values }: Front, asks: readonly Ask[]): MtaFinding[] {
  const setting = 'relay_recipient_maps';
  if (!asks.some(({ ours }) => ours)) return [];
  const others = values
    .list(setting)
    .filter((word) => !asks.some((one) => one.ours && one.setting === setting && one.text === word));
  if (others.length === 0) return [];
  return [fault('postfix-second-list', values.where(setting), `${others.join(', ')} beside Rollcall`)];
}

/** Doors that are asked before virtual_alias_maps has its say. A probe (door `smtp`) comes after it. */
function checkAliases({ values, read, facts }: Front, asks: readonly Ask[]): MtaFinding[] {
  if (!asks.some(({ ours, door }) => ours && ['policy', 'milter', 'proxy'].includes(door))) return [];
  const setting = 'virtual_alias_maps';
  return values.list(setting).flatMap((word) => {
    const table = parseTable(word);
    if (table === undefined || asks.some((one) => one.ours && one.text === word)) return [];
    const entries = ['regexp', 'pcre'].includes(table.type) ? undefined : entriesOf(table, read);
    if (entries === undefined)
      return [fault('postfix-alias-unlisted', values.where(setting), `${word} may name some`)];
    const names = entries
      .map(({ key }) => key)
      .filter(
        (key) => key.indexOf('@') > 0 && isServed(facts, key.slice(key.lastIndexOf('@') + 1).toLowerCase()),
      );
    if (names.length === 0) return [];
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    return [
      fault(
        'postfix-alias-unlisted',
        values.where(setting),
        `${names.slice(0, 3).join(', ')}${more} in ${word}`,
      ),
    ];
  });
}

function checkVirtualTable({ values }: Front): MtaFinding[] {
  const setting = 'virtual_mailbox_maps';
  if (!/^virtual(:|$)/.test(values.get('virtual_transport').trim())) return [];
  return values
    .list(setting)
    .filter((word) => ['socketmap', 'tcp'].includes(parseTable(word)?.type ?? ''))
    .map((word) =>
      fault('postfix-virtual-table', values.where(setting), `${word}, and virtual_transport = virtual`),
    );
}

function checkOpenings({ values }: Front): MtaFinding[] {
  const findings: MtaFinding[] = [];
  const luser = values.get('luser_relay').trim();
  if (luser !== '')
    findings.push(fault('postfix-luser-relay', values.where('luser_relay'), `luser_relay = ${luser}`));
  for (const list of rcptLists) {
    if (stepsOf(values, list).some(({ name }) => name === 'permit_mx_backup'))
      findings.push(fault('postfix-mx-backup', values.where(list), 'permit_mx_backup'));
  }
  const open = values.list('mynetworks').find((network) => /^(0\.0\.0\.0|\[?::\]?)\/0$/.test(network));
  if (open !== undefined)
    findings.push(fault('postfix-open-network', values.where('mynetworks'), `mynetworks has ${open}`));
  return findings;
}
