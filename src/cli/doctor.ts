import type { Command } from 'commander';
import type { Host } from './host.js';
export function registerDoctor(_program: Command, _host: Host): void {}
