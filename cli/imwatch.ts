#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// From the second start on commands are there in half the time, and a service takes 20 MiB less.
enableCompileCache();
await import('./program.ts');
