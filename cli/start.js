#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// From the second start on commands are there in half the time, and a service takes 25 MiB less. A file in TypeScript would bring in
// what takes types out, which is most of that.
enableCompileCache();
await import('./imwatch.ts');
