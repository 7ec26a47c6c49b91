/** The ways in which Postfix asks, the best first. */
import type { Way } from './facts.js';
import { exportWay, socketmapWay, tcpWay } from './postfix-maps.js';
import { proxyWay } from './postfix-proxy.js';
import { milterWay, policyWay } from './postfix-smtpd.js';
import { verifyWay } from './postfix-verify.js';

export const postfixWays: readonly Way[] = [
  policyWay,
  socketmapWay,
  milterWay,
  tcpWay,
  verifyWay,
  proxyWay,
  exportWay,
];
