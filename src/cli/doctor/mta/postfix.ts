/**
 * Looks through the configuration of a Postfix for what makes backscatter or passes Rollcall by.
 *
 * Pure: text in, findings out. Judges each service of master.cf that takes mail from strangers with the settings that it runs
 * with. What it cannot read (tables in databases) it does not judge.
 */
import { formatListenAddress } from '../../../config/listen-address.js';
import { ok } from '../finding.js';
import { arranged, fault, type MtaFinding } from './catalogue.js';
import { asksOf, type Ask } from './postfix-asks.js';
import { checkCodes } from './postfix-codes.js';
import { checkDomains } from './postfix-domains.js';
import { frontsOf, mainOnly, nameOf, type Front, type PostfixInput } from './postfix-input.js';
import { checkMaps } from './postfix-maps.js';
import { checkOrder } from './postfix-order.js';

export function analysePostfix(input: PostfixInput): MtaFinding[] {
  const main = asksOf(mainOnly(input)).filter(({ ours }) => ours);
  return arranged(frontsOf(input).flatMap((front) => checkFront(front, main)));
}

function checkFront(front: Front, main: readonly Ask[]): MtaFinding[] {
  const asks = asksOf(front);
  return [
    ...checkAsked(front, asks, main),
    ...checkOrder(front, asks),
    ...checkCodes(front, asks),
    ...checkMaps(front, asks),
    ...checkDomains(front, asks),
    ...checkChroot(front, asks),
  ];
}

function checkAsked(front: Front, asks: readonly Ask[], main: readonly Ask[]): MtaFinding[] {
  const about = `postfix ${nameOf(front.service)}`;
  const ours = asks.filter((one) => one.ours);
  if (ours.length > 0) {
    return ours.map(({ door, text, setting }) => ok(about, `asks Rollcall: ${door} ${text} in ${setting}`));
  }
  const lost = main.find(({ setting }) => front.service?.overrides.has(setting) === true);
  if (lost !== undefined) {
    const at = front.values.where(lost.setting);
    return [fault('postfix-overridden', at, `it replaces the list in which ${lost.text} stands`)];
  }
  const wrong = asks.find(({ door }) => (front.facts.doors[door] ?? []).length > 0 && door !== 'smtp');
  if (wrong === undefined) return [fault('postfix-not-asked', about, 'no setting names a door of Rollcall')];
  const listening = (front.facts.doors[wrong.door] ?? []).map(formatListenAddress).join(', ');
  const what = `it asks ${wrong.text}, but the door ${wrong.door} listens on ${listening}`;
  return [fault('postfix-wrong-address', front.values.where(wrong.setting), what)];
}

/** A socket outside of the queue directory, from inside of it. */
function checkChroot({ service, values, facts }: Front, asks: readonly Ask[]): MtaFinding[] {
  if (service?.chroot !== true) return [];
  return asks.flatMap(({ door, ours, endpoint, text, setting }) => {
    // files are opened before the chroot, and proxymap is not in one
    if (!ours || !('path' in endpoint) || door === 'export' || text.startsWith('proxy:')) return [];
    const inside = `${values.get('queue_directory')}/${endpoint.path.replace(/^\//, '')}`;
    if ((facts.doors[door] ?? []).some((address) => 'path' in address && address.path === inside)) return [];
    return [fault('postfix-chroot', values.where(setting), `${text}, and ${nameOf(service)} runs chrooted`)];
  });
}
