/** The ways in which Postfix asks, the best first. */
import type { Way } from './facts.js';
import { exportWay, socketmapWay, tcpWay } from './postfix-maps.js';
import { milterWay, policyWay, proxyWay, verifyWay } from './postfix-smtpd.js';

export const postfixWays: readonly Way[] = [
  policyWay,
  socketmapWay,
  milterWay,
  tcpWay,
  verifyWay,
  proxyWay,
  exportWay,
];
